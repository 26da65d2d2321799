import { expect, test } from "vitest";
import { folderChoices, passageIn, passagePath, pathTo, readersWords, sizeWords } from "./words";

const FOLDERS = [
  { id: "a", name: "Plans", parent_id: null },
  { id: "b", name: "2026", parent_id: "a" },
  { id: "c", name: "Old", parent_id: "gone" },
  { id: "x", name: "X", parent_id: "y" },
  { id: "y", name: "Y", parent_id: "x" },
];

test("folders have paths, also where a parent is gone or goes round", () => {
  expect(pathTo(FOLDERS, "b").map((one) => one.name)).toEqual(["Plans", "2026"]);
  expect(pathTo(FOLDERS, "c").map((one) => one.name)).toEqual(["Old"]);
  expect(pathTo(FOLDERS, "x").length).toBe(2);
  expect(pathTo(FOLDERS, null)).toEqual([]);
});

test("a folder is not offered as its own place", () => {
  expect(folderChoices(FOLDERS.slice(0, 3), "a").map((one) => one.label)).toEqual(["Old"]);
  expect(folderChoices(FOLDERS.slice(0, 2)).map((one) => one.label)).toEqual(["Plans", "Plans / 2026"]);
});

test("who can read is said in words", () => {
  const group = { visibility: "group" as const };
  expect(readersWords({ visibility: "private" }, null, false)).toBe("Only its author can read this.");
  expect(readersWords(group, { name: "board", private: true }, true)).toBe("The people in board can read this.");
  expect(readersWords(group, null, true)).toBe("The people of a channel can read this.");
});

test("a passage's path is read back as it was written", () => {
  const path = passagePath("d/1", 3, 120, 188);
  expect(path).toBe("/documents/d%2F1?version=3&start=120&end=188");
  expect(passageIn(path.split("?")[1] ?? "")).toEqual({ version: 3, start: 120, end: 188 });
  expect(passageIn("version=-1&start=x")).toEqual({ version: null, start: null, end: null });
  expect(passagePath("d", null, null, null)).toBe("/documents/d");
});

test("sizes are short", () => {
  expect([812, 4_300, 25 * 1024 * 1024].map(sizeWords)).toEqual(["812 B", "4.2 KB", "25 MB"]);
});
