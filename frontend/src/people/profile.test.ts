import { expect, test } from "vitest";
import { changesOf } from "./profile";

const alice = { name: "Alice", time_zone: "UTC", digest: true };

test("only what changed is sent", () => {
  expect(changesOf(alice, { ...alice, digest: false })).toEqual({ digest: false });
  expect(changesOf(alice, { name: "Alicia", time_zone: "Europe/Berlin", digest: true })).toEqual({
    name: "Alicia",
    time_zone: "Europe/Berlin",
  });
});

test("nothing is sent where nothing changed", () => {
  expect(changesOf(alice, { ...alice })).toBe(null);
});
