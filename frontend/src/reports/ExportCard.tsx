/** An export of this channel under way, or ready to take. */
import { Button, CloseButton, Progress } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import type { Job } from "../api/types";
import classes from "../chat/chat.module.css";
import { useLive, useWorkspace } from "../shell/context";
import { pickExports } from "../shell/pick";
import { tellError } from "../shell/tell";

const WORDS: Record<Job["status"], string> = {
  queued: "Your export waits for its turn…",
  running: "Writing the export…",
  done: "Your export is ready.",
  failed: "The export failed. Try it again in a moment.",
  cancelled: "The export was cancelled.",
};

export function ExportCard({ channelId }: { channelId: string }) {
  const workspace = useWorkspace();
  const found = useLive(pickExports).find((one) => one.channelId === channelId);
  if (!found) return null;
  const { job, channelName } = found;
  const open = job.status === "queued" || job.status === "running";
  const percent = Math.round((job.status === "done" ? 1 : job.progress) * 100);
  const dismiss = () => workspace.exports.dismiss(job.id);
  return (
    <div className={classes.card} role="status" data-status={job.status}>
      <IconFileSpreadsheet size={18} aria-hidden="true" />
      <span>{WORDS[job.status]}</span>
      <Progress
        value={percent}
        className={classes.bar}
        animated={open}
        color={job.status === "failed" ? "red" : undefined}
        aria-label={`Export of ${channelName}, ${percent} %`}
        data-testid="export-progress"
        data-progress={percent}
      />
      {open && (
        <Button
          size="compact-sm"
          variant="default"
          data-testid="export-cancel"
          onClick={() => void workspace.exports.cancel(job.id).catch(tellError)}
        >
          Cancel
        </Button>
      )}
      {job.status === "done" && job.result_url && (
        <Button
          size="compact-sm"
          component="a"
          href={local(job.result_url)}
          download={`${channelName}.csv`}
          data-testid="export-download"
        >
          Download
        </Button>
      )}
      {!open && <CloseButton size="sm" aria-label="Dismiss" onClick={dismiss} />}
    </div>
  );
}

/** Make the server's relative address one of our own origin, whatever it says. */
function local(url: string): string {
  const whole = new URL(url, `${window.location.origin}/`);
  return whole.origin === window.location.origin ? whole.pathname + whole.search : "#";
}
