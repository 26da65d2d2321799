/** Files on their way, how far each is, and what was refused. */
import { ActionIcon, Button, CloseButton, Progress, Text } from "@mantine/core";
import { IconCircleCheck, IconRefresh } from "@tabler/icons-react";
import { Link } from "wouter";
import type { Upload } from "../live/uploads";
import { useStore } from "../live/store";
import { useWorkspace } from "../shell/context";
import classes from "./documents.module.css";

const whole = (state: { uploads: readonly Upload[] }) => state.uploads;

export function UploadCard() {
  const { uploads } = useWorkspace();
  const list = useStore(uploads.state, whole);
  if (list.length === 0) return null;
  const open = list.filter((one) => one.status === "waiting" || one.status === "sending").length;
  return (
    <section className={classes.uploads} aria-label="Uploads" data-testid="uploads">
      <div className={classes.uploadHead}>
        <Text fw={600} size="sm" role="status">
          {open > 0 ? `Uploading ${open} of ${list.length}…` : "Uploads"}
        </Text>
        {open < list.length && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => uploads.clear()}>
            Clear the list
          </Button>
        )}
      </div>
      <ul>
        {list.map((one) => (
          <Row key={one.id} upload={one} />
        ))}
      </ul>
    </section>
  );
}

function Row({ upload }: { upload: Upload }) {
  const { uploads } = useWorkspace();
  return (
    <li className={classes.upload} data-status={upload.status} data-testid="upload">
      <div className={classes.uploadName}>
        {upload.status === "done" && <IconCircleCheck size={17} aria-label="uploaded" className={classes.good} />}
        {upload.documentId ? (
          <Link href={`/documents/${upload.documentId}`}>{upload.name}</Link>
        ) : (
          <span>{upload.name}</span>
        )}
        {uploads.repeatable(upload.id) && (
          <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Try ${upload.name} again`} onClick={() => uploads.again(upload.id)}>
            <IconRefresh size={15} />
          </ActionIcon>
        )}
        <CloseButton size="xs" aria-label={upload.status === "sending" ? `Cancel ${upload.name}` : `Take ${upload.name} off the list`} onClick={() => uploads.drop(upload.id)} />
      </div>
      {upload.status === "sending" && (
        <Progress value={upload.progress * 100} size="sm" animated={upload.progress === 1} aria-label={`Upload of ${upload.name}`} />
      )}
      {upload.status === "waiting" && (
        <Text size="xs" c="dimmed">
          Waiting for its turn
        </Text>
      )}
      {upload.problem && (
        <Text size="sm" className={classes.bad} role="alert">
          {upload.problem}
        </Text>
      )}
    </li>
  );
}
