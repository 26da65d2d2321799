import { expect, test } from "vitest";
import { message } from "../sync/testing";
import { around, earlier, later, LIVE, MOST, slice, type Window } from "./window";

const year = Array.from({ length: 1_000 }, (_, at) => message(at * 2 + 1));

test("a long channel starts with its newest few", () => {
  const shown = slice(year, LIVE);
  expect(shown.length).toBeLessThanOrEqual(100);
  expect(shown.at(-1)).toBe(year.at(-1));
});

test("going back to the beginning and forward again shows every message and never too many", () => {
  let window: Window = LIVE;
  const seen = new Set<string>();
  for (let next: Window | null = window; next; next = earlier(year, window)) {
    window = next;
    const shown = slice(year, window);
    expect(shown.length).toBeLessThanOrEqual(MOST);
    for (const one of shown) seen.add(one.id);
  }
  expect(seen.size).toBe(1_000);
  expect(slice(year, window)[0]).toBe(year[0]);
  for (let next: Window | null = window; next; next = later(year, window)) {
    window = next;
    expect(slice(year, window).length).toBeLessThanOrEqual(MOST);
  }
  expect(slice(year, window).at(-1)).toBe(year.at(-1));
});

test("messages that arrive while one reads the past do not move it", () => {
  const window = { first: year[100]?.seq ?? 0, last: year[300]?.seq ?? 0 };
  const before = slice(year, window);
  expect(slice([...year, message(5_001)], window)).toEqual(before);
});

test("an empty channel has an empty window", () => {
  expect(slice([], LIVE)).toEqual([]);
  expect(earlier([], LIVE)).toBeNull();
});

test("a message is shown with what stands around it, at either end as in the middle", () => {
  const few = year.slice(0, 200);
  const middle = around(few, 201);
  expect(middle.found).toBe(few[100]);
  expect(slice(few, middle.window)).toEqual(few.slice(70, 131));
  expect(slice(few, around(few, 1).window)).toEqual(few.slice(0, 31));
  const newest = around(few, 395);
  expect(newest.window.last).toBe(null);
  expect(slice(few, newest.window)).toEqual(few.slice(167));
});

test("where a message is not there, what stands before it is shown", () => {
  expect(around(year, 6).found?.seq).toBe(5);
  expect(around([], 6)).toEqual({ window: { first: null, last: null }, found: undefined });
});
