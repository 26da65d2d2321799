/** Turns messages into the rows on screen: who begins a group, where a day begins, what is new. */
import type { Message } from "../api/types";
import type { Outgoing } from "../sync/outbox";
import { dayKey } from "./time";

export interface Shown {
  /** Stays the same when a pending message becomes a sent one, so that the row is not rebuilt. */
  key: string;
  message: Message;
  state: "sent" | "pending" | "failed";
  reason: string | null;
}

export interface Row {
  shown: Shown;
  /** Begins a group: shows who and when. */
  first: boolean;
  newDay: boolean;
  newMark: boolean;
}

const GROUP_MS = 5 * 60_000;

/** Put what is on its way behind what is there; what is both is there. */
export function combine(messages: readonly Message[], outbox: readonly Outgoing[], myId: string): Shown[] {
  const mine = new Set(messages.filter((one) => one.author_id === myId).map((one) => one.client_id));
  const sent = messages.map((message) => ({ key: keyOf(message), message, state: "sent" as const, reason: null }));
  const waiting = outbox
    .filter((item) => !mine.has(item.client_id))
    .map((item) => ({ key: `${myId}/${item.client_id}`, message: draft(item, myId), state: item.state, reason: item.reason }));
  return [...sent, ...waiting];
}

function keyOf(message: Message): string {
  return message.client_id ? `${message.author_id}/${message.client_id}` : message.id;
}

function draft(item: Outgoing, myId: string): Message {
  return {
    id: item.client_id,
    channel_id: item.channel_id,
    seq: Number.MAX_SAFE_INTEGER,
    changed_seq: 0,
    author_id: myId,
    text: item.text,
    client_id: item.client_id,
    thread_id: item.thread_id,
    reactions: {},
    created_at: item.created_at,
    edited_at: null,
    deleted_at: null,
  };
}

/** Decide for each message what its row shows; `mark` is the posting number up to which all was read. */
export function arrange(list: readonly Shown[], mark: number | null, myId: string): Row[] {
  let marked = mark === null;
  let before: Message | null = null;
  return list.map((shown) => {
    const { message } = shown;
    const newDay = before === null || dayKey(before.created_at) !== dayKey(message.created_at);
    const newMark = !marked && message.seq > (mark ?? 0) && message.author_id !== myId && !message.deleted_at;
    if (newMark) marked = true;
    const first = newDay || newMark || before === null || !continues(before, message);
    before = message;
    return { shown, first, newDay, newMark };
  });
}

function continues(before: Message, message: Message): boolean {
  if (before.author_id !== message.author_id || before.thread_id !== message.thread_id) return false;
  return Date.parse(message.created_at) - Date.parse(before.created_at) < GROUP_MS;
}

/** Count the replies of each thread among the known messages. */
export function countReplies(messages: readonly Message[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { thread_id, deleted_at } of messages) {
    if (thread_id && !deleted_at) counts.set(thread_id, (counts.get(thread_id) ?? 0) + 1);
  }
  return counts;
}
