import { expect, test } from "vitest";
import { bellWords, headline, pathOf, spoken } from "./words";

const notice = {
  id: "n",
  kind: "mention" as const,
  channel_id: "c1",
  channel_name: "general",
  message_id: "m7",
  thread_id: null,
  seq: 7,
  author_id: "bob",
  author_name: "Bob",
  snippet: "hi @Alice",
  created_at: "2026-01-02T03:04:05.678Z",
  read_at: null,
};

test("a notification says who did what, and where", () => {
  expect(headline(notice)).toEqual({ who: "Bob", did: "mentioned you" });
  expect(headline({ ...notice, kind: "reply", author_name: "" })).toEqual({ who: "Someone", did: "replied in a thread" });
  expect(spoken(notice)).toBe("Bob mentioned you in general: hi @Alice");
});

test("a kind that a newer server invents is still a sentence", () => {
  expect(headline({ kind: "reaction" as "mention", author_name: "Bob" })).toEqual({
    who: "Bob",
    did: "wrote something for you",
  });
});

test("it leads to the message's place, within its thread where it has one", () => {
  expect(pathOf(notice)).toBe("/c/c1/m/7");
  expect(pathOf({ ...notice, thread_id: "m3" })).toBe("/c/c1/t/m3/m/7");
});

test("the bell counts aloud, and stays small", () => {
  expect(bellWords(0)).toEqual({ label: "Notifications", badge: "" });
  expect(bellWords(7)).toEqual({ label: "Notifications, 7 unread", badge: "7" });
  expect(bellWords(1000)).toEqual({ label: "Notifications, 1000 unread", badge: "99+" });
});
