/** Reactions under a message, and the small picker for them. */
import { ActionIcon, Popover, Tooltip, UnstyledButton } from "@mantine/core";
import { IconMoodSmile } from "@tabler/icons-react";
import { useState } from "react";
import type { Message, Person } from "../api/types";
import classes from "./message.module.css";

const EMOJIS: [string, string][] = [
  ["👍", "thumbs up"],
  ["❤️", "heart"],
  ["😂", "tears of joy"],
  ["🎉", "party"],
  ["🙏", "thank you"],
  ["👀", "looking"],
  ["✅", "done"],
  ["🚀", "rocket"],
  ["💡", "idea"],
  ["🤔", "thinking"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["👏", "applause"],
  ["🔥", "fire"],
  ["💯", "hundred"],
  ["🙌", "hands up"],
  ["☕", "coffee"],
  ["👎", "thumbs down"],
];

interface Props {
  message: Message;
  myId: string;
  people: Record<string, Person>;
  react: (emoji: string, on: boolean) => void;
}

export function Reactions({ message, myId, people, react }: Props) {
  const entries = Object.entries(message.reactions).filter(([, users]) => users.length > 0);
  if (entries.length === 0) return null;
  return (
    <div className={classes.reactions}>
      {entries.map(([emoji, users]) => {
        const mine = users.includes(myId);
        const names = users.map((id) => (id === myId ? "you" : (people[id]?.name ?? "someone"))).join(", ");
        return (
          <Tooltip key={emoji} label={names} multiline maw={260}>
            <UnstyledButton
              className={classes.reaction}
              data-mine={mine}
              aria-pressed={mine}
              aria-label={`${emoji} ${users.length}, ${names}`}
              onClick={() => react(emoji, !mine)}
            >
              <span>{emoji}</span>
              <span>{users.length}</span>
            </UnstyledButton>
          </Tooltip>
        );
      })}
    </div>
  );
}

export function EmojiPicker({ react, onOpen }: { react: (emoji: string) => void; onOpen: (open: boolean) => void }) {
  const [opened, setOpened] = useState(false);
  const show = (open: boolean) => {
    setOpened(open);
    onOpen(open);
  };
  return (
    <Popover opened={opened} onChange={show} position="top-end" trapFocus withinPortal shadow="md">
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="Add a reaction" onClick={() => show(!opened)}>
          <IconMoodSmile size={18} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p={6}>
        <div className={classes.emojis}>
          {EMOJIS.map(([emoji, name]) => (
            <UnstyledButton
              key={emoji}
              className={classes.emoji}
              aria-label={name}
              onClick={() => {
                show(false);
                react(emoji);
              }}
            >
              {emoji}
            </UnstyledButton>
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
