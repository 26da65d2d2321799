/** What can be done with a sent message, shown when one points at it or tabs to it. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconMessageReply, IconPencil, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Message } from "../api/types";
import type { RowContext } from "./MessageRow";
import { EmojiPicker } from "./Reactions";

interface Props {
  message: Message;
  context: RowContext;
  onOpen: (open: boolean) => void;
}

export function Tools({ message, context, onOpen }: Props) {
  const { me, actions, inThread } = context;
  const mine = message.author_id === me.id;
  const moderator = me.role === "owner" || me.role === "admin";
  return (
    <>
      <EmojiPicker
        onOpen={onOpen}
        react={(emoji) => actions.react(message, emoji, !message.reactions[emoji]?.includes(me.id))}
      />
      {!inThread && (
        <Tool label="Reply in a thread" onClick={() => actions.thread(message.thread_id ?? message.id)}>
          <IconMessageReply size={18} />
        </Tool>
      )}
      {mine && (
        <Tool label="Edit" onClick={() => actions.edit(message.id)}>
          <IconPencil size={18} />
        </Tool>
      )}
      {(mine || moderator) && (
        <Tool label="Delete" onClick={() => actions.remove(message)}>
          <IconTrash size={18} />
        </Tool>
      )}
    </>
  );
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
