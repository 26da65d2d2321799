/** What a person can do with messages, bound to one channel. */
import { modals } from "@mantine/modals";
import { useMemo } from "react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import type { Message } from "../api/types";
import { useWorkspace } from "../shell/context";
import { tellError } from "../shell/tell";

export interface Actions {
  react: (message: Message, emoji: string, on: boolean) => void;
  /** Begin to edit a message, or stop (null). */
  edit: (id: string | null) => void;
  save: (message: Message, text: string) => void;
  remove: (message: Message) => void;
  thread: (rootId: string) => void;
  retry: (clientId: string) => void;
  discard: (clientId: string) => void;
}

export function useActions(channelId: string, edit: (id: string | null) => void): Actions {
  const workspace = useWorkspace();
  const [, navigate] = useLocation();
  return useMemo(() => {
    const run = async (work: Promise<{ message: Message }>) => {
      try {
        workspace.engine.put((await work).message);
      } catch (error) {
        tellError(error);
      }
    };
    return {
      react: (message, emoji, on) => void run(api.messages.react(message.id, emoji, on)),
      edit,
      save: (message, text) => {
        edit(null);
        void run(api.messages.edit(message.id, text));
      },
      remove: (message) =>
        modals.openConfirmModal({
          title: "Delete this message?",
          children: message.text.length > 140 ? `${message.text.slice(0, 140)}…` : message.text,
          labels: { confirm: "Delete", cancel: "Keep" },
          confirmProps: { color: "red" },
          onConfirm: () => void run(api.messages.remove(message.id)),
        }),
      thread: (rootId) => navigate(`/c/${channelId}/t/${rootId}`),
      retry: (clientId) => workspace.outbox.retry(clientId),
      discard: (clientId) => workspace.outbox.discard(clientId),
    };
  }, [workspace, channelId, edit, navigate]);
}
