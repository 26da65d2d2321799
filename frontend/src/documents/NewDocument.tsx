/** The first words of a new document: its name, and who reads it. */
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { sentence } from "../api/errors";
import { documents, type Folder, type Placing } from "../api/knowledge";
import { FolderPicker, placed, ReadersPicker } from "./Placing";

interface Props {
  opened: boolean;
  close: () => void;
  folders: readonly Folder[];
  folderId: string | null;
}

export function NewDocument({ opened, close, folders, folderId }: Props) {
  return (
    <Modal opened={opened} onClose={close} title="New document" closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }}>
      {opened && <Form folders={folders} folderId={folderId} />}
    </Modal>
  );
}

function Form({ folders, folderId }: Pick<Props, "folders" | "folderId">) {
  const [title, setTitle] = useState("");
  const [placing, setPlacing] = useState<Placing>({ visibility: "private", channel_id: null, folder_id: folderId });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [, navigate] = useLocation();
  const create = async () => {
    setBusy(true);
    try {
      const { document } = await documents.create(title.trim(), "", placing);
      navigate(`/documents/${document.id}?edit=1`);
    } catch (error) {
      setProblem(sentence(error));
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <Stack>
        <TextInput
          label="Title"
          required
          maxLength={200}
          value={title}
          error={problem}
          data-autofocus
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <ReadersPicker value={placing} change={setPlacing} />
        {folders.length > 0 && (
          <FolderPicker folders={folders} value={placing.folder_id} change={(folder_id) => setPlacing({ ...placing, folder_id })} />
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!title.trim() || !placed(placing)}>
            Begin to write
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
