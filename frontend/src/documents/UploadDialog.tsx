/** What is asked before files are sent: who reads them, and where they go. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { Folder, Placing } from "../api/knowledge";
import { useWorkspace } from "../shell/context";
import classes from "./documents.module.css";
import { FolderPicker, placed, ReadersPicker } from "./Placing";
import { sizeWords } from "./words";

export const ACCEPTED = ".md,.markdown,.txt,.html,.htm,.pdf,.docx";
const MOST_SHOWN = 6;

interface Props {
  files: readonly File[];
  close: () => void;
  folders: readonly Folder[];
  folderId: string | null;
}

export function UploadDialog({ files, close, folders, folderId }: Props) {
  return (
    <Modal
      opened={files.length > 0}
      onClose={close}
      title={files.length === 1 ? "Upload a file" : `Upload ${files.length} files`}
      closeButtonProps={{ "aria-label": "Close" }}
      styles={{ title: { fontWeight: 650, fontSize: 18 } }}
    >
      {files.length > 0 && <Form files={files} close={close} folders={folders} folderId={folderId} />}
    </Modal>
  );
}

function Form({ files, close, folders, folderId }: Props) {
  const { uploads } = useWorkspace();
  const [placing, setPlacing] = useState<Placing>({ visibility: "private", channel_id: null, folder_id: folderId });
  const send = () => {
    uploads.add(files, placing);
    close();
  };
  return (
    <Stack>
      <ul className={classes.files}>
        {files.slice(0, MOST_SHOWN).map((file, at) => (
          <li key={at}>
            <span>{file.name}</span>
            <Text span size="sm" c="dimmed">
              {sizeWords(file.size)}
            </Text>
          </li>
        ))}
        {files.length > MOST_SHOWN && <li>and {files.length - MOST_SHOWN} more</li>}
      </ul>
      <ReadersPicker value={placing} change={setPlacing} />
      {folders.length > 0 && (
        <FolderPicker folders={folders} value={placing.folder_id} change={(folder_id) => setPlacing({ ...placing, folder_id })} />
      )}
      <Group justify="flex-end">
        <Button onClick={send} disabled={!placed(placing)} data-testid="send-files">
          Upload
        </Button>
      </Group>
    </Stack>
  );
}
