import { expect, test } from "vitest";
import { countPoints, cut, pieces, unitsOf } from "./points";

test("code points beyond the first plane are two units, and one point", () => {
  const text = "a👩‍🚀b";
  expect([...text].length).toBe(countPoints(text));
  expect(countPoints(text)).toBe(5);
  const { start, end } = unitsOf(text, { start: 4, end: 5 });
  expect(text.slice(start, end)).toBe("b");
});

test("a range of points is the same text as Python's slice gives", () => {
  const text = "Zürich 🏔️ und Köln 🎭.\n第二行 𠮷野家 ist da.";
  const points = [...text];
  for (const [from, to] of [[0, 6], [7, 8], [8, 20], [23, 31], [0, points.length]] as const) {
    const { start, end } = unitsOf(text, { start: from, end: to });
    expect(text.slice(start, end)).toBe(points.slice(from, to).join(""));
  }
});

test("what lies beyond a text ends with it", () => {
  expect(unitsOf("ab", { start: 1, end: 9 })).toEqual({ start: 1, end: 2 });
  expect(unitsOf("ab", { start: 5, end: 9 })).toEqual({ start: 2, end: 2 });
  expect(unitsOf("ab", { start: 2, end: 1 })).toEqual({ start: 2, end: 2 });
});

test("marks cut a snippet at points, also where they overlap or overshoot", () => {
  expect(pieces("🚀 start and end", [[2, 7], [5, 9], [14, 99]])).toEqual([
    { text: "🚀 ", marked: false },
    { text: "start", marked: true },
    { text: " a", marked: true },
    { text: "nd en", marked: false },
    { text: "d", marked: true },
  ]);
  expect(pieces("plain", [])).toEqual([{ text: "plain", marked: false }]);
});

test("a text in a document is cut where the quote begins and ends", () => {
  expect(cut("hello world", 100, { start: 106, end: 200 })).toEqual([
    { text: "hello ", marked: false },
    { text: "world", marked: true },
  ]);
  expect(cut("hello", 100, { start: 0, end: 50 })).toEqual([{ text: "hello", marked: false }]);
  expect(cut("hello", 100, null)).toEqual([{ text: "hello", marked: false }]);
});
