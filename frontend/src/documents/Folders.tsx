/** Where one is among the folders, what is in this one, and what can be done with it. */
import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconChevronRight, IconDots, IconFolder, IconFolderPlus } from "@tabler/icons-react";
import { Fragment, useState } from "react";
import { Link, useLocation } from "wouter";
import { sentence } from "../api/errors";
import { folders as api, type Folder } from "../api/knowledge";
import { byName } from "../live/state";
import { tellError } from "../shell/tell";
import classes from "./documents.module.css";
import { FolderPicker } from "./Placing";
import { pathTo } from "./words";

interface Props {
  folders: readonly Folder[];
  folderId: string | null;
  refresh: () => Promise<void>;
}

type Asking = "new" | "rename" | "move" | null;

export function Folders({ folders, folderId, refresh }: Props) {
  const [asking, setAsking] = useState<Asking>(null);
  const path = pathTo(folders, folderId);
  const here = path.at(-1) ?? null;
  const below = byName(folders.filter((one) => one.parent_id === folderId));
  return (
    <>
      <nav className={classes.crumbs} aria-label="Folders">
        {here ? <Link href="/documents">All documents</Link> : <span aria-current="page">All documents</span>}
        {path.map((folder) => (
          <Fragment key={folder.id}>
            <IconChevronRight size={14} aria-hidden="true" />
            {folder === here ? (
              <span aria-current="page">{folder.name}</span>
            ) : (
              <Link href={`/documents/in/${folder.id}`}>{folder.name}</Link>
            )}
          </Fragment>
        ))}
        <div className={classes.crumbTools}>
          {here && <FolderMenu folder={here} refresh={refresh} ask={setAsking} />}
          <Button size="compact-sm" variant="subtle" color="gray" leftSection={<IconFolderPlus size={16} />} onClick={() => setAsking("new")}>
            New folder
          </Button>
        </div>
      </nav>
      {below.length > 0 && (
        <ul className={classes.folders} aria-label="Folders in here">
          {below.map((folder) => (
            <li key={folder.id}>
              <Link href={`/documents/in/${folder.id}`} className={classes.folder}>
                <IconFolder size={18} aria-hidden="true" />
                <span>{folder.name}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <Dialog asking={asking} close={() => setAsking(null)} here={here} folders={folders} refresh={refresh} />
    </>
  );
}

function FolderMenu({ folder, refresh, ask }: { folder: Folder; refresh: () => Promise<void>; ask: (what: Asking) => void }) {
  const [, navigate] = useLocation();
  const remove = () =>
    modals.openConfirmModal({
      title: `Remove the folder “${folder.name}”?`,
      children: <Text size="sm">What is in it moves to where the folder was. No document is deleted.</Text>,
      labels: { confirm: "Remove", cancel: "Keep" },
      confirmProps: { color: "red" },
      onConfirm: () => {
        api.remove(folder.id).then(async () => {
          navigate(folder.parent_id ? `/documents/in/${folder.parent_id}` : "/documents");
          await refresh();
        }, tellError);
      },
    });
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`What to do with the folder ${folder.name}`}>
          <IconDots size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => ask("rename")}>Rename</Menu.Item>
        <Menu.Item onClick={() => ask("move")}>Move</Menu.Item>
        <Menu.Item color="red" onClick={remove}>
          Remove
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface DialogProps {
  asking: Asking;
  close: () => void;
  here: Folder | null;
  folders: readonly Folder[];
  refresh: () => Promise<void>;
}

const TITLES = { new: "New folder", rename: "Rename the folder", move: "Move the folder" };

function Dialog({ asking, close, here, folders, refresh }: DialogProps) {
  return (
    <Modal opened={asking !== null} onClose={close} title={asking ? TITLES[asking] : ""} closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }}>
      {asking && <Form asking={asking} close={close} here={here} folders={folders} refresh={refresh} />}
    </Modal>
  );
}

function Form({ asking, close, here, folders, refresh }: DialogProps & { asking: NonNullable<Asking> }) {
  const [name, setName] = useState(asking === "rename" ? (here?.name ?? "") : "");
  const [parent, setParent] = useState<string | null>(here?.parent_id ?? null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      if (asking === "new") await api.create(name.trim(), here?.id ?? null);
      else if (here) await api.change(here.id, asking === "rename" ? { name: name.trim() } : { parent_id: parent });
      await refresh();
      close();
    } catch (error) {
      setProblem(sentence(error));
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <Stack>
        {asking === "move" ? (
          <>
            <FolderPicker folders={folders} value={parent} change={setParent} label="Into which folder" without={here?.id ?? null} />
            {problem && (
              <Text size="sm" className={classes.bad} role="alert">
                {problem}
              </Text>
            )}
          </>
        ) : (
          <TextInput
            label="Name"
            required
            maxLength={80}
            value={name}
            error={problem}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={asking !== "move" && !name.trim()}>
            {asking === "new" ? "Make the folder" : asking === "rename" ? "Rename" : "Move"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
