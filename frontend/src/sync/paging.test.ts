import { expect, test } from "vitest";
import { extend, overlay, pageSize } from "./paging";

const pages = (ids: string, next: string | null) => ({ rows: [...ids].map((id) => ({ id })), next });
const ids = ({ rows }: { rows: { id: string }[] }) => rows.map((row) => row.id).join("");

test("a fresh first part keeps the older rows that join on to it, and their cursor", () => {
  const list = overlay(pages("xabc", "c"), pages("abcdef", "f"));
  expect(ids(list)).toBe("xabcdef");
  expect(list.next).toBe("f");
});

test("a fresh part that does not reach what was loaded replaces it, so that no gap hides between them", () => {
  const list = overlay(pages("vwxyz", "z"), pages("abc", "c"));
  expect(ids(list)).toBe("vwxyz");
  expect(list.next).toBe("z");
});

test("a fresh part that is all there is leaves nothing of what was loaded", () => {
  expect(overlay(pages("ab", null), pages("abc", null))).toEqual(pages("ab", null));
  expect(overlay(pages("", null), pages("abc", "c"))).toEqual(pages("", null));
});

test("an older part goes behind, without rows that are there already", () => {
  expect(extend(pages("abc", "c"), pages("cde", null))).toEqual(pages("abcde", null));
});

test("as much is asked for as is shown, within what the server gives at once", () => {
  expect([pageSize(0, 30), pageSize(90, 30), pageSize(900, 30)]).toEqual([30, 90, 200]);
});
