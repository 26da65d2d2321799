import { expect, test } from "vitest";
import { excerptOf } from "./excerpt";

test("a short text is its own excerpt", () => {
  expect(excerptOf("one two three", { start: 4, end: 7 })).toEqual({
    text: "one two three", mark: { start: 4, end: 7 }, before: false, after: false,
  });
});

test("a long text is cut between paragraphs, and the quote stays what it was", () => {
  const paragraph = "Words that say nothing much at all. ".repeat(8).trim();
  const text = [...Array.from({ length: 9 }, () => paragraph), "The quote.", ...Array.from({ length: 9 }, () => paragraph)].join("\n\n");
  const start = text.indexOf("The quote.");
  const found = excerptOf(text, { start, end: start + 10 });
  expect(found.text.slice(found.mark.start, found.mark.end)).toBe("The quote.");
  expect(found.text.startsWith("Words that say")).toBe(true);
  expect(found.text.endsWith("at all.")).toBe(true);
  expect([found.before, found.after]).toEqual([true, true]);
  expect(found.text.length).toBeLessThan(1_500);
});
