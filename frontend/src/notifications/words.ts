/** What a notification says, and where it leads. */
import type { Notice } from "../api/types";
import { plain } from "../chat/markdown";

const MOST_SPOKEN = 300;

const DID: Record<Notice["kind"], string> = { mention: "mentioned you", reply: "replied in a thread" };

/** Say who did what, without where. The two parts are apart so that a long name does not push the rest off. */
export function headline(notice: Pick<Notice, "kind" | "author_name">): { who: string; did: string } {
  return { who: notice.author_name || "Someone", did: DID[notice.kind] ?? "wrote something for you" };
}

/** Say it all in one sentence, for those who hear the page. */
export function spoken(notice: Notice): string {
  const { who, did } = headline(notice);
  return `${who} ${did} in ${notice.channel_name}: ${plain(notice.snippet.slice(0, MOST_SPOKEN))}`;
}

/** The page that shows the message: in its thread where it is part of one, else in its channel. */
export function pathOf(notice: Pick<Notice, "channel_id" | "thread_id" | "seq">): string {
  const thread = notice.thread_id ? `/t/${encodeURIComponent(notice.thread_id)}` : "";
  return `/c/${encodeURIComponent(notice.channel_id)}${thread}/m/${notice.seq}`;
}

/** What the bell says; the number itself is cut short where it would not fit. */
export function bellWords(unread: number): { label: string; badge: string } {
  if (unread === 0) return { label: "Notifications", badge: "" };
  return { label: `Notifications, ${unread} unread`, badge: unread > 99 ? "99+" : String(unread) };
}
