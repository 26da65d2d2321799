import { expect, test } from "vitest";
import { message } from "./testing";
import { countAfter, mentions, readMark } from "./unread";

const list = [
  message(1),
  message(2, { author_id: "me" }),
  message(3),
  message(4, { deleted_at: "2026-01-02T03:04:05.678Z" }),
  message(5),
];

test("the read mark stands before as many undeleted messages of others as are unread", () => {
  expect(readMark(list, 1, "me")).toBe(4);
  expect(readMark(list, 2, "me")).toBe(2);
});

test("there is no mark where all is read, or where it lies before the loaded messages", () => {
  expect(readMark(list, 0, "me")).toBeNull();
  expect(readMark(list, 9, "me")).toBeNull();
});

test("own and deleted messages are not counted", () => {
  expect(countAfter(list, 1, "me")).toBe(2);
});

test("a mention is the whole name, in any case, and no part of a word", () => {
  expect(mentions("hello @ann lee!", "Ann Lee")).toBe(true);
  expect(mentions("hello @annette", "Ann")).toBe(false);
  expect(mentions("mail x@ann", "Ann")).toBe(false);
  expect(mentions("@Annette and @ann", "Ann")).toBe(true);
});
