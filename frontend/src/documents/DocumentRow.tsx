/** One document of the list: what it is, who reads it, and how far it is. */
import { Text } from "@mantine/core";
import { IconFileText, IconFileTypeDocx, IconFileTypeHtml, IconFileTypePdf, IconFileTypeTxt } from "@tabler/icons-react";
import { memo } from "react";
import { Link } from "wouter";
import type { Folder, ListedDocument } from "../api/knowledge";
import { fromNow, fullTime } from "../chat/time";
import { useLive, useWorkspace } from "../shell/context";
import { pickPeople } from "../shell/pick";
import classes from "./documents.module.css";
import { Readers, Status } from "./Marks";
import { pathTo } from "./words";

interface Props {
  document: ListedDocument;
  /** To name the document's folder by; null where all are in one. */
  folders: readonly Folder[] | null;
}

export const DocumentRow = memo(function DocumentRow({ document, folders }: Props) {
  const workspace = useWorkspace();
  const people = useLive(pickPeople);
  const me = workspace.state.get().me;
  const who = document.updated_by === me.id ? "you" : (people[document.updated_by]?.name ?? "somebody");
  const folder = folders && pathTo(folders, document.folder_id).at(-1);
  return (
    <li className={classes.row} data-testid="document-row" data-status={document.status}>
      <Kind name={document.source?.name ?? null} />
      <div className={classes.words}>
        <Link href={`/documents/${document.id}`} className={classes.title}>
          {document.title}
        </Link>
        <div className={classes.meta}>
          <time dateTime={document.updated_at} title={fullTime(document.updated_at)}>
            {fromNow(document.updated_at)} by {who}
          </time>
          <Readers document={document} />
          {folder && <span className={classes.inFolder}>in {folder.name}</span>}
        </div>
        {document.status === "failed" && (
          <Text size="sm" className={classes.bad}>
            {document.error?.message ?? "This document could not be read."}
          </Text>
        )}
      </div>
      <Status document={document} />
    </li>
  );
});

export function Kind({ name }: { name: string | null }) {
  const ending = name?.toLowerCase().split(".").at(-1) ?? "";
  const props = { size: 22, "aria-hidden": true, className: classes.kind } as const;
  if (ending === "pdf") return <IconFileTypePdf {...props} />;
  if (ending === "docx") return <IconFileTypeDocx {...props} />;
  if (ending === "html" || ending === "htm") return <IconFileTypeHtml {...props} />;
  if (ending === "txt") return <IconFileTypeTxt {...props} />;
  return <IconFileText {...props} />;
}
