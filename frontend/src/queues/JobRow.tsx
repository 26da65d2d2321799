/** One job: what it does, how it went, and the means to try it again or let it go. */
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { QueueJob } from "../api/types";
import { briefTime, fullTime } from "../chat/time";
import { useLive } from "../shell/context";
import { pickPeople } from "../shell/pick";
import classes from "./queues.module.css";
import { attemptWords, kindWords, sinceWords } from "./words";

interface Props {
  job: QueueJob;
  retry: (job: QueueJob) => Promise<void>;
  discard: (job: QueueJob) => void;
}

export function JobRow({ job, retry, discard }: Props) {
  const people = useLive(pickPeople);
  const [busy, setBusy] = useState(false);
  const kind = kindWords(job.kind);
  const who = people[job.actor_id]?.name;
  const again = () => {
    setBusy(true);
    void retry(job).finally(() => setBusy(false));
  };
  return (
    <article className={classes.job} data-testid="job-row" data-status={job.status} aria-label={kind}>
      <div className={classes.words}>
        <Text fw={600}>{kind}</Text>
        {job.error && (
          <Text size="sm" c="var(--warm)" className={classes.anywhere}>
            {job.error.message}
          </Text>
        )}
        <Text size="sm" c="dimmed" className={classes.anywhere}>
          <span title={fullTime(job.finished_at ?? job.started_at ?? job.due_at)}>{sinceWords(job)}</span> · {attemptWords(job)}
          {job.status === "running" && job.progress > 0 && ` · ${Math.round(job.progress * 100)} %`}
          {" · "}
          asked for {briefTime(job.created_at)}
          {who && ` by ${who}`}
        </Text>
      </div>
      {job.status !== "running" && (
        <Group gap="xs" wrap="nowrap">
          {job.status === "failed" && (
            <Button size="xs" variant="default" loading={busy} onClick={again} aria-label={`Put back: ${kind}`} data-testid="retry-job">
              Put back
            </Button>
          )}
          <Button size="xs" variant="subtle" color="red" onClick={() => discard(job)} aria-label={`Discard: ${kind}`} data-testid="discard-job">
            Discard
          </Button>
        </Group>
      )}
    </article>
  );
}
