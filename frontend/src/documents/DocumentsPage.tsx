/** The documents I may read: by folder, by name, and on their way in. */
import { Button, FileButton, SegmentedControl, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFiles, IconPlus, IconSearch, IconUpload } from "@tabler/icons-react";
import { useCallback, useEffect, useState } from "react";
import { documents, type Folder, type ListedDocument } from "../api/knowledge";
import { useLive, useWorkspace } from "../shell/context";
import { Older, Placeholders, Problem } from "../shell/Page";
import { pickDocumentNews, pickMe } from "../shell/pick";
import shell from "../shell/shell.module.css";
import { TopBar } from "../shell/TopBar";
import { useList } from "../shell/useList";
import { DocumentRow } from "./DocumentRow";
import { DropZone } from "./DropZone";
import classes from "./documents.module.css";
import { Folders } from "./Folders";
import { NewDocument } from "./NewDocument";
import { UploadCard } from "./UploadCard";
import { ACCEPTED, UploadDialog } from "./UploadDialog";
import { useFolders } from "./useFolders";

const PAUSE_MS = 250;
/** On a phone the icon alone has to do. */
const ACTION = { label: shell.actionLabel, section: shell.actionIcon };

export default function DocumentsPage({ folderId }: { folderId: string | null }) {
  const me = useLive(pickMe);
  const { folders, refresh } = useFolders();
  const [writing, setWriting] = useState(false);
  const [files, setFiles] = useState<readonly File[]>([]);
  const writer = me.role !== "guest";
  return (
    <DropZone disabled={!writer} dropped={setFiles}>
      <TopBar title="Documents" icon={<IconFiles size={20} aria-hidden="true" className={shell.topIcon} />}>
        {writer && (
          <>
            <FileButton multiple accept={ACCEPTED} onChange={setFiles} inputProps={{ "aria-label": "Files to upload" }}>
              {(props) => (
                <Button {...props} size="xs" variant="default" classNames={ACTION} aria-label="Upload" leftSection={<IconUpload size={16} />} data-testid="upload-button">
                  Upload
                </Button>
              )}
            </FileButton>
            <Button size="xs" classNames={ACTION} aria-label="New document" leftSection={<IconPlus size={16} />} onClick={() => setWriting(true)} data-testid="new-document">
              New
            </Button>
          </>
        )}
      </TopBar>
      <div className={shell.page}>
        <div className={shell.pageBody}>
          {writer && <Folders folders={folders} folderId={folderId} refresh={refresh} />}
          <UploadCard />
          <List folderId={folderId} folders={folders} writer={writer} write={() => setWriting(true)} />
        </div>
      </div>
      <NewDocument opened={writing} close={() => setWriting(false)} folders={folders} folderId={folderId} />
      <UploadDialog files={files} close={() => setFiles([])} folders={folders} folderId={folderId} />
    </DropZone>
  );
}

interface ListProps {
  folderId: string | null;
  folders: readonly Folder[];
  writer: boolean;
  write: () => void;
}

function List({ folderId, folders, writer, write }: ListProps) {
  const workspace = useWorkspace();
  const news = useLive(pickDocumentNews);
  const [title, setTitle] = useState("");
  const [mine, setMine] = useState(false);
  const [query] = useDebouncedValue(title.trim(), PAUSE_MS);
  const load = useCallback(
    async (cursor: string | null, limit: number) => {
      const page = await documents.page({ folder_id: folderId, query, mine }, cursor, limit);
      return { rows: page.documents, next: page.next };
    },
    [folderId, query, mine],
  );
  const { list, pages, problem, loading } = useList<ListedDocument>(load, news);
  useEffect(
    () => workspace.documents.follow((id, document) => void (id !== null && list.put(id, document))),
    [workspace, list],
  );
  return (
    <>
      <div className={classes.filters}>
        <TextInput
          className={classes.filter}
          size="sm"
          value={title}
          leftSection={<IconSearch size={15} />}
          placeholder="Filter by title"
          aria-label="Filter by title"
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        {writer && (
          <SegmentedControl
            size="xs"
            aria-label="Whose documents"
            value={mine ? "mine" : "all"}
            onChange={(value) => setMine(value === "mine")}
            data={[
              { value: "all", label: "All" },
              { value: "mine", label: "Mine" },
            ]}
          />
        )}
      </div>
      {problem && <Problem text={problem} again={() => void list.refresh()} />}
      {!pages && !problem && <Placeholders />}
      {pages?.rows.length === 0 && (
        <Nothing filtered={query !== "" || mine} inFolder={folderId !== null} writer={writer} write={write} />
      )}
      <ul className={classes.list} aria-label="Documents">
        {pages?.rows.map((document) => (
          <DocumentRow key={document.id} document={document} folders={folderId === null ? folders : null} />
        ))}
      </ul>
      <Older next={pages?.next ?? null} loading={loading} more={() => void list.more()} />
    </>
  );
}

function Nothing({ filtered, inFolder, writer, write }: { filtered: boolean; inFolder: boolean; writer: boolean; write: () => void }) {
  if (filtered) {
    return (
      <Text c="dimmed" py="lg">
        No document here matches that.
      </Text>
    );
  }
  return (
    <div className={classes.nothing}>
      <Text fw={600}>{inFolder ? "Nothing is in this folder yet" : "Nothing is written down yet"}</Text>
      <Text c="dimmed" size="sm" ta="center" maw={420}>
        {writer
          ? "Write a document, or drop files here: Markdown, text, HTML, PDF or DOCX. Search finds what they say, and the assistant answers from them."
          : "Documents that are shared with your channels appear here."}
      </Text>
      {writer && (
        <Button size="xs" onClick={write}>
          Write the first one
        </Button>
      )}
    </div>
  );
}
