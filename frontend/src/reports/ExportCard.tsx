/** An export under way, or ready to take, where it was asked for. */
import { Button, CloseButton, Progress } from "@mantine/core";
import { IconFileSpreadsheet, IconFileTypePdf } from "@tabler/icons-react";
import type { Job } from "../api/types";
import classes from "../chat/chat.module.css";
import { placeOf } from "../live/exports";
import { useLive, useWorkspace } from "../shell/context";
import { pickExports } from "../shell/pick";
import { tellError } from "../shell/tell";
import { local, statusWords } from "./words";

export function ExportCard({ place }: { place: string }) {
  const workspace = useWorkspace();
  const found = useLive(pickExports).find((one) => placeOf(one.report) === place);
  if (!found) return null;
  const { job, report } = found;
  const open = job.status === "queued" || job.status === "running";
  const ended = job.status === "failed" || job.status === "cancelled";
  const percent = Math.round((job.status === "done" ? 1 : job.progress) * 100);
  const Icon = report.format === "pdf" ? IconFileTypePdf : IconFileSpreadsheet;
  return (
    <div className={classes.card} data-status={job.status} data-ended={ended}>
      <Icon size={18} aria-hidden="true" />
      <span role="status">{statusWords(job, report.format)}</span>
      {!ended && (
        <Progress
          value={percent}
          className={classes.bar}
          animated={open}
          aria-label={`Export of ${report.name}, ${percent} %`}
          data-testid="export-progress"
          data-progress={percent}
        />
      )}
      <Buttons job={job} name={`${report.name}.${report.format}`} again={() => workspace.exports.start(report)} />
      {!open && <CloseButton size="sm" aria-label="Dismiss" onClick={() => workspace.exports.dismiss(job.id)} />}
    </div>
  );
}

function Buttons({ job, name, again }: { job: Job; name: string; again: () => Promise<void> }) {
  const workspace = useWorkspace();
  if (job.status === "queued" || job.status === "running") {
    const cancel = () => void workspace.exports.cancel(job.id).catch(tellError);
    return (
      <Button size="compact-sm" variant="default" data-testid="export-cancel" onClick={cancel}>
        Cancel
      </Button>
    );
  }
  if (job.status === "done" && job.result_url) {
    return (
      <Button size="compact-sm" component="a" href={local(job.result_url)} download={name} data-testid="export-download">
        Download
      </Button>
    );
  }
  if (job.status === "done") return null;
  return (
    <Button size="compact-sm" variant="default" data-testid="export-again" onClick={() => void again().catch(tellError)}>
      Try again
    </Button>
  );
}
