/** Where reading stopped, worked out from what the server counts. */
import type { Message } from "../api/types";

/**
 * Answer the posting number up to which a channel was read, given that `unread` of others' messages come after it.
 *
 * Null where all is read, or where the place lies before the loaded messages (`messages` oldest first).
 */
export function readMark(messages: readonly Message[], unread: number, myId: string): number | null {
  if (unread <= 0) return null;
  let left = unread;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const message = messages[at];
    if (!message || message.author_id === myId || message.deleted_at) continue;
    left -= 1;
    if (left === 0) return message.seq - 1;
  }
  return null;
}

/** Count others' undeleted messages after a mark. */
export function countAfter(messages: readonly Message[], mark: number, myId: string): number {
  return messages.filter((one) => one.seq > mark && one.author_id !== myId && !one.deleted_at).length;
}

/** True where the text names the person: `@Name`, whole name, in any case, not inside a word or an address. */
export function mentions(text: string, name: string): boolean {
  const needle = `@${name}`.toLowerCase();
  const hay = text.toLowerCase();
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) {
    const before = hay.charAt(at - 1);
    const after = hay.charAt(at + needle.length);
    if (!/[\p{L}\p{N}_@]/u.test(before) && !/[\p{L}\p{N}_]/u.test(after)) return true;
  }
  return false;
}
