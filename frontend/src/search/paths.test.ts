import { expect, test } from "vitest";
import { pathOf } from "./paths";

test("a document opens at its passage, a message in its channel", () => {
  const nothing = { version: null, start: null, end: null, channel_id: null, seq: null };
  expect(pathOf({ ...nothing, kind: "document", id: "d" })).toBe("/documents/d");
  expect(pathOf({ ...nothing, kind: "document", id: "d", version: 2, start: 0, end: 9 })).toBe("/documents/d?version=2&start=0&end=9");
  expect(pathOf({ ...nothing, kind: "message", id: "m", channel_id: "c", seq: 7 })).toBe("/c/c/m/7");
});
