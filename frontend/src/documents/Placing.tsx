/** Who reads a document, and in which folder it is. */
import { Radio, Select, Stack, Text } from "@mantine/core";
import type { Folder, Placing, Visibility } from "../api/knowledge";
import { byName, joined } from "../live/state";
import { useLive } from "../shell/context";
import { pickChannels } from "../shell/pick";
import classes from "./documents.module.css";
import { folderChoices } from "./words";

const CHOICES: { value: Visibility; label: string; about: string }[] = [
  { value: "private", label: "Only me", about: "Nobody else finds it, not even by search or the assistant." },
  { value: "group", label: "The people of a channel", about: "Whoever can see the channel can read it and write in it." },
  { value: "organization", label: "Everybody", about: "All people of the organization but guests." },
];

/** True where enough is chosen to go on. */
export function placed({ visibility, channel_id }: Placing): boolean {
  return visibility !== "group" || channel_id !== null;
}

interface Props {
  value: Placing;
  change: (value: Placing) => void;
  disabled?: boolean;
}

export function ReadersPicker({ value, change, disabled = false }: Props) {
  const channels = useLive(pickChannels);
  const mine = byName((channels ?? []).filter(joined));
  const choose = (visibility: Visibility) => {
    const only = mine.length === 1 ? (mine[0]?.id ?? null) : null;
    change({ ...value, visibility, channel_id: visibility === "group" ? (value.channel_id ?? only) : null });
  };
  return (
    <Stack gap={8}>
      <Radio.Group
        label="Who can read it"
        value={value.visibility}
        onChange={(chosen) => choose(CHOICES.find((one) => one.value === chosen)?.value ?? "private")}
      >
        <Stack gap={6} mt={6}>
          {CHOICES.map((one) => (
            <Radio key={one.value} value={one.value} label={one.label} description={one.about} disabled={disabled} />
          ))}
        </Stack>
      </Radio.Group>
      {value.visibility === "group" && (
        <Select
          aria-label="Channel"
          placeholder="Choose a channel"
          searchable
          data={mine.map((one) => ({ value: one.id, label: `${one.private ? "" : "#"}${one.name}` }))}
          value={value.channel_id}
          allowDeselect={false}
          disabled={disabled}
          nothingFoundMessage="No channel is called that."
          onChange={(channel) => change({ ...value, channel_id: channel })}
        />
      )}
    </Stack>
  );
}

interface FolderProps {
  folders: readonly Folder[];
  value: string | null;
  change: (folder: string | null) => void;
  label?: string;
  without?: string | null;
}

export function FolderPicker({ folders, value, change, label = "Folder", without = null }: FolderProps) {
  const choices = folderChoices(folders, without);
  if (choices.length === 0) {
    return (
      <Text size="sm" c="dimmed" className={classes.quiet}>
        There are no folders yet.
      </Text>
    );
  }
  return (
    <Select
      label={label}
      placeholder="None"
      searchable
      clearable
      data={choices}
      value={value}
      nothingFoundMessage="No folder is called that."
      clearButtonProps={{ "aria-label": "Out of every folder" }}
      onChange={change}
    />
  );
}
