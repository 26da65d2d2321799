/** The latest version of a document, with what one should know before reading it. */
import { Alert, Button, Group, Loader, Text } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { documents, type WholeDocument } from "../api/knowledge";
import { briefTime } from "../chat/time";
import { tellError } from "../shell/tell";
import { DocumentText } from "./DocumentText";
import classes from "./page.module.css";

interface Props {
  document: WholeDocument;
  put: (document: WholeDocument) => void;
}

export function Reading({ document, put }: Props) {
  return (
    <>
      {document.draft && <DraftNote document={document} put={put} />}
      {document.status === "failed" && (
        <Alert color="red" role="alert" mb="md" title={document.version === 0 ? "This file could not be read" : "Search does not find this document"}>
          {document.error?.message ?? "Something went wrong."}
        </Alert>
      )}
      <h2 className={classes.name}>{document.title}</h2>
      {document.version === 0 && document.status !== "failed" && (
        <div className={classes.waiting} role="status">
          <Loader size={16} type="dots" /> The file is being read. Its text appears here by itself.
        </div>
      )}
      {document.version > 0 && !document.text.trim() && <Text c="dimmed">There is no text in this document yet.</Text>}
      <DocumentText text={document.text} />
    </>
  );
}

function DraftNote({ document, put }: Props) {
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  if (!document.draft) return null;
  const discard = async () => {
    setBusy(true);
    try {
      await documents.discardDraft(document.id);
      put({ ...document, draft: null });
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={classes.banner} data-old="true" role="note" data-testid="draft-note">
      <span>You have a draft of this from {briefTime(document.draft.saved_at)}. Only you see it.</span>
      <Group gap={6}>
        <Button size="compact-sm" onClick={() => navigate(`/documents/${document.id}?edit=1`)}>
          Go on writing
        </Button>
        <Button size="compact-sm" variant="subtle" color="gray" loading={busy} onClick={() => void discard()}>
          Discard
        </Button>
      </Group>
    </div>
  );
}
