/** Small marks that say where a document stands and who reads it. */
import { Badge, Loader, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconHash, IconLock, IconUser, IconUsers } from "@tabler/icons-react";
import type { ListedDocument } from "../api/knowledge";
import { useLive } from "../shell/context";
import { pickChannels } from "../shell/pick";
import classes from "./documents.module.css";
import { readersBadge, STATUS_WORDS, statusWords } from "./words";

export function Status({ document }: { document: ListedDocument }) {
  if (document.status === "ready") return null;
  const failed = document.status === "failed";
  return (
    <Tooltip label={statusWords(document)} multiline maw={320}>
      <Badge
        variant="light"
        color={failed ? "red" : "gray"}
        tt="none"
        className={classes.status}
        data-testid="document-status"
        leftSection={failed ? <IconAlertTriangle size={13} /> : <Loader size={11} color="currentColor" />}
      >
        {document.version === 0 && !failed ? "Being read" : STATUS_WORDS[document.status]}
      </Badge>
    </Tooltip>
  );
}

export function useChannelOf(document: Pick<ListedDocument, "channel_id">) {
  const channels = useLive(pickChannels);
  return channels?.find((one) => one.id === document.channel_id) ?? null;
}

export function Readers({ document }: { document: ListedDocument }) {
  const channel = useChannelOf(document);
  const icon =
    document.visibility === "private" ? <IconUser size={14} aria-hidden="true" />
    : document.visibility === "organization" ? <IconUsers size={14} aria-hidden="true" />
    : channel?.private ? <IconLock size={14} aria-hidden="true" />
    : <IconHash size={14} aria-hidden="true" />;
  return (
    <span className={classes.readers}>
      {icon}
      {readersBadge(document, channel).replace(/^#/, "")}
    </span>
  );
}
