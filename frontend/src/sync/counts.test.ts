import { expect, test } from "vitest";
import type { Channel } from "../api/types";
import { counted, countedSince } from "./counts";
import { message } from "./testing";

const me = { id: "me", name: "Ann" };
const channel = (change: Partial<Channel> = {}): Channel => ({
  id: "c",
  name: "general",
  private: false,
  head: 8,
  unread: 1,
  mentions: 0,
  joined: true,
  ...change,
});
const news = (seq: number, change = {}) => ({ channelId: "c", fresh: [message(seq, change)], head: seq });

test("a message after the server's count is one more, and a mention where it names me", () => {
  expect(counted(channel(), news(9, { text: "hi @ann" }), me)).toMatchObject({ head: 9, unread: 2, mentions: 1 });
});

test("a message that the server counted already is not counted again", () => {
  const before = channel();
  expect(counted(before, news(8), me)).toBe(before);
});

test("my own messages and deleted ones move the head only", () => {
  expect(counted(channel(), news(9, { author_id: "me" }), me)).toMatchObject({ head: 9, unread: 1 });
  expect(counted(channel(), news(9, { deleted_at: "2026-01-02T03:04:05Z" }), me)).toMatchObject({ head: 9, unread: 1 });
});

test("a channel that I only look into has nothing unread", () => {
  expect(counted(channel({ joined: false, unread: 0 }), news(9), me)).toMatchObject({ head: 9, unread: 0 });
});

test("a list that was counted before a message came does not take it away again", () => {
  const list = [channel(), channel({ id: "d", head: 3 })];
  expect(countedSince(list, [news(9), news(10)], me)).toMatchObject([
    { id: "c", head: 10, unread: 3 },
    { id: "d", head: 3, unread: 1 },
  ]);
});

test("a list that was counted after a message came counts it once", () => {
  expect(countedSince([channel({ head: 9, unread: 2 })], [news(9)], me)).toMatchObject([{ head: 9, unread: 2 }]);
});
