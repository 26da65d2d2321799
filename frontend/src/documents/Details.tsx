/** Beside a document: who reads it, where it is, what it was, and what links to it. */
import { Button, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { sentence } from "../api/errors";
import { documents, type Change, type Links, type Placing, type WholeDocument } from "../api/knowledge";
import { plain } from "../chat/markdown";
import { fromNow, fullTime } from "../chat/time";
import { useLive } from "../shell/context";
import { pickMe, pickPeople } from "../shell/pick";
import { tell, tellError } from "../shell/tell";
import { useManageable } from "./DocumentMenu";
import { Readers, Status, useChannelOf } from "./Marks";
import classes from "./page.module.css";
import { FolderPicker, placed, ReadersPicker } from "./Placing";
import { useFolders } from "./useFolders";
import { VersionList } from "./VersionList";
import { readersWords, statusWords } from "./words";

interface Props {
  document: WholeDocument;
  put: (document: WholeDocument) => void;
  refresh: () => void;
  /** The version on screen. */
  shown: number;
}

export function Details({ document, put, shown }: Props) {
  return (
    <Stack gap={0}>
      <Sharing document={document} put={put} />
      <State document={document} />
      <VersionList document={document} shown={shown} />
      <LinkedFrom document={document} />
    </Stack>
  );
}

function Sharing({ document, put }: Pick<Props, "document" | "put">) {
  const me = useLive(pickMe);
  const channel = useChannelOf(document);
  const manageable = useManageable(document);
  const { folders } = useFolders();
  const [open, setOpen] = useState(false);
  const change = async (body: Change) => {
    try {
      put((await documents.change(document.id, body)).document);
      return true;
    } catch (error) {
      tellError(error);
      return false;
    }
  };
  return (
    <section className={classes.block} aria-label="Readers">
      <h2>Who can read it</h2>
      <div className={classes.line}>
        <Readers document={document} />
        {manageable && (
          <Button size="compact-xs" variant="default" onClick={() => setOpen(true)} data-testid="change-readers">
            Change
          </Button>
        )}
      </div>
      <Text size="sm" c="dimmed">
        {readersWords(document, channel, document.author_id === me.id)}
      </Text>
      {document.editable && folders.length > 0 && (
        <div className={classes.folder}>
          <FolderPicker folders={folders} value={document.folder_id} change={(folder_id) => void change({ folder_id })} />
        </div>
      )}
      <Modal opened={open} onClose={() => setOpen(false)} title="Who can read it" closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }}>
        {open && <ReadersForm document={document} change={change} close={() => setOpen(false)} />}
      </Modal>
    </section>
  );
}

function ReadersForm({ document, change, close }: { document: WholeDocument; change: (body: Change) => Promise<boolean>; close: () => void }) {
  const [placing, setPlacing] = useState<Placing>(document);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    const { visibility, channel_id } = placing;
    if (await change({ visibility, ...(channel_id === null ? {} : { channel_id }) })) {
      tell("Changed. Search and the assistant follow within moments.");
      close();
    } else setBusy(false);
  };
  return (
    <Stack>
      <ReadersPicker value={placing} change={setPlacing} />
      <Button onClick={() => void save()} loading={busy} disabled={!placed(placing)} style={{ alignSelf: "flex-end" }}>
        Save
      </Button>
    </Stack>
  );
}

function State({ document }: { document: WholeDocument }) {
  const people = useLive(pickPeople);
  const name = (id: string) => people[id]?.name ?? "somebody";
  return (
    <section className={classes.block} aria-label="State">
      <h2>Where it stands</h2>
      <Status document={document} />
      <Text size="sm" c={document.status === "failed" ? "red" : "dimmed"} mt={document.status === "ready" ? 0 : 4}>
        {statusWords(document)}
      </Text>
      <Text size="sm" c="dimmed" mt={4} title={fullTime(document.created_at)}>
        {document.source ? `Uploaded as ${document.source.name}` : "Begun"} by {name(document.author_id)}, {fromNow(document.created_at)}
      </Text>
    </section>
  );
}

function LinkedFrom({ document }: { document: WholeDocument }) {
  const people = useLive(pickPeople);
  const [links, setLinks] = useState<Links | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let left = false;
    documents.links(document.id).then(
      (found) => !left && setLinks(found),
      (error: unknown) => !left && setProblem(sentence(error)),
    );
    return () => {
      left = true;
    };
  }, [document.id, document.updated_at]);
  const none = links?.documents.length === 0 && links.messages.length === 0;
  return (
    <section className={classes.block} aria-label="Linked from" data-testid="linked-from">
      <h2>Linked from</h2>
      {problem && (
        <Text size="sm" c="red" role="alert">
          {problem}
        </Text>
      )}
      {none && (
        <Text size="sm" c="dimmed">
          Nothing links here yet. Paste this page’s address into a message or a document.
        </Text>
      )}
      <ul className={classes.links}>
        {links?.documents.map((one) => (
          <li key={one.id}>
            <Link href={`/documents/${one.id}`}>{one.title}</Link>
          </li>
        ))}
        {links?.messages.map((one) => (
          <li key={one.id}>
            <Link href={`/c/${one.channel_id}${one.seq ? `/m/${one.seq}` : ""}`}>#{one.channel_name}</Link>
            <Text size="sm" c="dimmed" lineClamp={2}>
              {people[one.author_id]?.name ?? "Somebody"}, {fromNow(one.created_at)}: {plain(one.text)}
            </Text>
          </li>
        ))}
      </ul>
    </section>
  );
}
