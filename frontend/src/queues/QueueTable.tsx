/** The queues side by side; on a phone, one below the other. Its roles are spelled out since `display` would drop them. */
import { VisuallyHidden } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "wouter";
import type { QueueState } from "../api/types";
import classes from "./queues.module.css";
import { duration, queueWords, workerWords } from "./words";

const COLUMNS = ["Queue", "Waiting", "Delayed", "Oldest waits", "Running", "Failed", "Workers"];

export function QueueTable({ queues }: { queues: readonly QueueState[] }) {
  const calm = queues.every((one) => one.queued + one.delayed + one.running + one.failed === 0);
  return (
    <>
      <table className={classes.table} role="table" data-testid="queues">
        <caption>
          <VisuallyHidden>Queues of my organization</VisuallyHidden>
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => (
              <th key={name} role="columnheader" scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {queues.map((queue) => (
            <Row key={queue.queue} queue={queue} />
          ))}
        </tbody>
      </table>
      {calm && <p className={classes.calm}>Nothing waits, and nothing has failed.</p>}
    </>
  );
}

function Row({ queue }: { queue: QueueState }) {
  const { name, about } = queueWords(queue.queue);
  const workers = workerWords(queue);
  return (
    <tr role="row" data-testid="queue-row" data-queue={queue.queue}>
      <th role="rowheader" scope="row">
        <Link href={`/queues/${encodeURIComponent(queue.queue)}`} className={classes.name}>
          {name}
        </Link>
        <span className={classes.about}>{about}</span>
      </th>
      <Cell label="Waiting" value={queue.queued.toLocaleString()} quiet={queue.queued === 0} />
      <Cell label="Delayed" value={queue.delayed.toLocaleString()} quiet={queue.delayed === 0} />
      <Cell label="Oldest waits" value={queue.queued > 0 ? duration(queue.oldest_seconds) : "–"} quiet={queue.queued === 0} />
      <Cell label="Running" value={queue.running.toLocaleString()} quiet={queue.running === 0} />
      <Cell label="Failed" value={queue.failed.toLocaleString()} quiet={queue.failed === 0} worry={queue.failed > 0} />
      <Cell label="Workers" value={workers.text} quiet={queue.workers === 0} worry={workers.worry} />
    </tr>
  );
}

interface CellProps {
  label: string;
  value: string;
  quiet: boolean;
  worry?: boolean;
}

function Cell({ label, value, quiet, worry = false }: CellProps) {
  return (
    <td role="cell" data-label={label} data-quiet={quiet} data-worry={worry}>
      {worry && <IconAlertTriangle size={14} aria-label="needs attention" />} {value}
    </td>
  );
}
