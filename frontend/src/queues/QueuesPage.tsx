/** My organization's background work: what waits, runs and has failed, for those who look after it. */
import { Anchor, Button, Text } from "@mantine/core";
import { IconArrowLeft, IconStack2 } from "@tabler/icons-react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import { useLive } from "../shell/context";
import { AdminsOnly, Placeholders, Problem } from "../shell/Page";
import { pickMe, pickQueueNews } from "../shell/pick";
import classes from "../shell/shell.module.css";
import { TopBar } from "../shell/TopBar";
import { useList } from "../shell/useList";
import { Jobs } from "./Jobs";
import { QueueTable } from "./QueueTable";
import { queueWords } from "./words";

export default function QueuesPage({ queue }: { queue: string | null }) {
  return (
    <AdminsOnly title="Queues">
      <Queues queue={queue} />
    </AdminsOnly>
  );
}

function Queues({ queue }: { queue: string | null }) {
  const news = Object.values(useLive(pickQueueNews)).reduce((sum, one) => sum + one, 0);
  const [, navigate] = useLocation();
  const { list, pages, problem } = useList(loadQueues, news);
  const chosen = pages?.rows.find((one) => one.queue === queue);
  return (
    <>
      <TopBar
        title={queue === null ? "Queues" : queueWords(queue).name}
        icon={<IconStack2 size={20} aria-hidden="true" className={classes.topIcon} />}
      >
        {queue !== null && (
          <Button size="xs" variant="default" leftSection={<IconArrowLeft size={16} />} onClick={() => navigate("/queues")}>
            Queues
          </Button>
        )}
      </TopBar>
      <div className={classes.page}>
        <div className={classes.pageBody}>
          {problem && <Problem text={problem} again={() => void list.refresh()} />}
          {!pages && !problem && <Placeholders />}
          {pages && queue === null && (
            <>
              <Text c="dimmed" size="sm" py="xs">
                What Dashify does for your organization in the background. Jobs that failed for good wait here until somebody
                puts them back or discards them.
              </Text>
              <QueueTable queues={pages.rows} />
              <Dashboard />
            </>
          )}
          {pages && queue !== null && (chosen ? <Jobs key={queue} queue={chosen} /> : <Text py="md">There is no such queue.</Text>)}
        </div>
      </div>
    </>
  );
}

async function loadQueues() {
  const { queues } = await api.queues.list();
  return { rows: queues.map((one) => ({ ...one, id: one.queue })), next: null };
}

function Dashboard() {
  const me = useLive(pickMe);
  if (!me.superadmin) return null;
  return (
    <Text size="sm" c="dimmed" py="md">
      You look after the whole installation: RQ's own dashboard shows the{" "}
      <Anchor href="/platform/rq" target="_blank" rel="noreferrer" size="sm">
        queues of all organizations
      </Anchor>
      .
    </Text>
  );
}
