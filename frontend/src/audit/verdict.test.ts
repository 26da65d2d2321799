import { expect, test } from "vitest";
import { checkWords } from "./verdict";

test("an intact log says how much of it is sealed", () => {
  expect(checkWords({ entries: 120, sealed: 118, intact: true, broken_at: null })).toBe(
    "The log is intact: 118 of 120 entries are sealed, and each of them is what it was.",
  );
});

test("a broken log says where, as far as that is known", () => {
  expect(checkWords({ entries: 9, sealed: 9, intact: false, broken_at: "e7" })).toContain("changed or missing at entry e7");
  expect(checkWords({ entries: 0, sealed: 0, intact: false, broken_at: null })).toContain("Sealed entries are missing");
});
