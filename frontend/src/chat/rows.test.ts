import { expect, test } from "vitest";
import type { Outgoing } from "../sync/outbox";
import { message } from "../sync/testing";
import { arrange, combine, countReplies } from "./rows";

const outgoing = (id: string): Outgoing => ({
  client_id: id,
  channel_id: "c",
  text: "on its way",
  thread_id: null,
  created_at: "2026-01-02T03:05:00Z",
  state: "pending",
  reason: null,
});

test("my message is shown once when both the event and the outbox have it", () => {
  const sent = message(1, { author_id: "me", client_id: "x" });
  expect(combine([sent], [outgoing("x"), outgoing("y")], "me").map((one) => one.state)).toEqual(["sent", "pending"]);
});

test("another person's message with the same client_id is not mine", () => {
  const theirs = message(1, { author_id: "bob", client_id: "x" });
  expect(combine([theirs], [outgoing("x")], "me")).toHaveLength(2);
});

test("a row keeps its key when its message arrives", () => {
  const waiting = combine([], [outgoing("x")], "me")[0];
  const sent = combine([message(1, { author_id: "me", client_id: "x" })], [], "me")[0];
  expect(sent?.key).toBe(waiting?.key);
});

test("one author's messages form a group until time, a day or the new mark comes between", () => {
  const at = (seq: number, time: string) => message(seq, { created_at: `2026-01-02T${time}Z` });
  const list = [at(1, "10:00:00"), at(2, "10:01:00"), at(3, "10:30:00"), at(4, "10:31:00")];
  const rows = arrange(combine(list, [], "me"), 3, "me");
  expect(rows.map((row) => row.first)).toEqual([true, false, true, true]);
  expect(rows.map((row) => row.newMark)).toEqual([false, false, false, true]);
  expect(rows.map((row) => row.newDay)).toEqual([true, false, false, false]);
});

test("deleted replies are not counted", () => {
  const list = [message(1), message(2, { thread_id: "m1" }), message(3, { thread_id: "m1", deleted_at: "2026-01-02T03:04:05Z" })];
  expect(countReplies(list).get("m1")).toBe(1);
});
