/** What is unread: the server counts it, and what comes after its count is counted here. */
import type { Channel, Message } from "../api/types";
import { mentions } from "./unread";

/** A channel's change up to number `head`, with the messages posted by it that nobody here has seen. */
export interface News {
  channelId: string;
  fresh: readonly Message[];
  head: number;
}

interface Reader {
  id: string;
  name: string;
}

/** Count news in its channel. What the server's own count included has a number at or below the head it gave. */
export function counted(channel: Channel, news: News, me: Reader): Channel {
  if (news.head <= channel.head) return channel;
  const watching = channel.joined === false;
  const others = watching ? [] : news.fresh.filter((one) => one.author_id !== me.id && !one.deleted_at && one.seq > channel.head);
  return {
    ...channel,
    head: news.head,
    unread: channel.unread + others.length,
    mentions: channel.mentions + others.filter((one) => mentions(one.text, me.name)).length,
  };
}

/** Bring a list up to date that was on its way while news came: it may have been counted before them. */
export function countedSince(list: readonly Channel[], news: readonly News[], me: Reader): Channel[] {
  return list.map((channel) =>
    news.filter((one) => one.channelId === channel.id).reduce((before, one) => counted(before, one, me), channel),
  );
}
