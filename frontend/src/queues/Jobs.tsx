/** One queue's jobs that failed, wait or run, and what can be done with them. */
import { Button, Group, SegmentedControl, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useCallback, useState } from "react";
import * as api from "../api/api";
import type { OpenStatus, QueueJob, QueueState } from "../api/types";
import { useLive } from "../shell/context";
import { Older, Placeholders, Problem } from "../shell/Page";
import { pickQueueNews } from "../shell/pick";
import { tell, tellError } from "../shell/tell";
import { useList } from "../shell/useList";
import { JobRow } from "./JobRow";
import { count, countOf, kindWords, queueWords, STATUS_WORDS, STATUSES, workerWords } from "./words";

const NONE: Record<OpenStatus, string> = {
  failed: "Nothing has failed here.",
  queued: "Nothing waits here.",
  running: "Nothing runs here at the moment.",
};

export function Jobs({ queue }: { queue: QueueState }) {
  const name = queue.queue;
  const [status, setStatus] = useState<OpenStatus>("failed");
  const load = useCallback(
    async (cursor: string | null, limit: number) => {
      const { jobs, next } = await api.queues.jobs(name, status, cursor, limit);
      return { rows: jobs, next };
    },
    [name, status],
  );
  const news = useLive(pickQueueNews)[name] ?? 0;
  const { list, pages, problem, loading } = useList(load, news);

  const run = async (work: () => Promise<string>) => {
    try {
      tell(await work());
    } catch (error) {
      tellError(error);
    }
    await list.refresh();
  };
  const { retry, retryAll, discard } = actions(queue, run);
  return (
    <>
      <Text c="dimmed" size="sm" py="xs">
        {queueWords(name).about}. Workers: {workerWords(queue).text}.
      </Text>
      <Group justify="space-between" gap="xs" py="xs">
        <SegmentedControl
          size="xs"
          aria-label="Which jobs"
          value={status}
          onChange={(value) => setStatus(STATUSES.find((one) => one === value) ?? "failed")}
          data={STATUSES.map((one) => ({ value: one, label: `${STATUS_WORDS[one]} ${countOf(queue, one).toLocaleString()}` }))}
        />
        {status === "failed" && (pages?.rows.length ?? 0) > 0 && (
          <Button size="xs" variant="light" onClick={retryAll} data-testid="retry-all">
            Put all back
          </Button>
        )}
      </Group>
      {problem && <Problem text={problem} again={() => void list.refresh()} />}
      {!pages && !problem && <Placeholders />}
      {pages?.rows.map((job) => (
        <JobRow key={job.id} job={job} retry={retry} discard={discard} />
      ))}
      {pages?.rows.length === 0 && (
        <Text c="dimmed" py="md">
          {NONE[status]}
        </Text>
      )}
      {pages && <Older next={pages.next} loading={loading} more={() => void list.more()} />}
    </>
  );
}

type Run = (work: () => Promise<string>) => Promise<void>;

function actions(queue: QueueState, run: Run) {
  const putAllBack = async () => {
    const { count: number } = await api.queues.retryAll(queue.queue);
    return `${count(number, "job")} put back.`;
  };
  return {
    retry: (job: QueueJob) =>
      run(async () => {
        await api.queues.retry(job.id);
        return `“${kindWords(job.kind)}” is put back.`;
      }),
    retryAll: () =>
      modals.openConfirmModal({
        title: "Put all failed jobs back?",
        children: <Text size="sm">They are tried again as if they had never failed, at most 1,000 at once.</Text>,
        labels: { confirm: "Put all back", cancel: "Leave them" },
        onConfirm: () => void run(putAllBack),
      }),
    discard: (job: QueueJob) =>
      modals.openConfirmModal({
        title: "Discard this job?",
        children: <Text size="sm">“{kindWords(job.kind)}” will not be done, and cannot be put back afterwards.</Text>,
        labels: { confirm: "Discard", cancel: "Keep" },
        confirmProps: { color: "red" },
        onConfirm: () =>
          void run(async () => {
            await api.queues.discard(job.id);
            return `“${kindWords(job.kind)}” is discarded.`;
          }),
      }),
  };
}
