import { expect, test } from "vitest";
import { whereIn } from "./where";

test("a path names a channel, a thread, a message, or a message in a thread", () => {
  expect(whereIn(undefined)).toEqual({ rootId: null, seq: null });
  expect(whereIn("t/abc")).toEqual({ rootId: "abc", seq: null });
  expect(whereIn("m/42")).toEqual({ rootId: null, seq: 42 });
  expect(whereIn("t/abc/m/42")).toEqual({ rootId: "abc", seq: 42 });
});

test("what is no path of ours leads to the channel", () => {
  for (const rest of ["m/x", "m/-1", "m/42/t/abc", "settings", "t/", "m/99999999999999999999"]) {
    expect(whereIn(rest)).toEqual({ rootId: null, seq: null });
  }
});
