import { expect, test } from "vitest";
import { Assembler } from "./assemble";

test("pieces in any order, and twice, become one text", () => {
  const assembler = new Assembler();
  for (const [index, text] of [[1, "b"], [0, "a"], [1, "b"], [3, "d"], [0, "a"], [2, "c"]] as const) assembler.put({ index, text });
  expect(assembler.text).toBe("abcd");
  expect(assembler.last).toBe(3);
  expect(assembler.gap).toBe(false);
});

test("nothing is shown beyond a gap", () => {
  const assembler = new Assembler();
  expect(assembler.last).toBeNull();
  expect(assembler.put({ index: 0, text: "a" })).toBe(true);
  expect(assembler.put({ index: 2, text: "c" })).toBe(false);
  expect(assembler.text).toBe("a");
  expect(assembler.gap).toBe(true);
});
