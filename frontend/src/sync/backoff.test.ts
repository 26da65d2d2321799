import { expect, test } from "vitest";
import { nextInstance, parseInstances, reconnectDelay } from "./backoff";

test("the first retry comes after 0 to 300 ms", () => {
  expect(reconnectDelay(0, () => 0)).toBe(0);
  expect(reconnectDelay(0, () => 0.999)).toBeLessThan(300);
});

test("later retries double up to 5 s, each with jitter", () => {
  expect([1, 2, 3, 4].map((attempt) => reconnectDelay(attempt, () => 1))).toEqual([600, 1_200, 2_400, 4_800]);
  expect(reconnectDelay(30, () => 1)).toBe(5_000);
  expect(reconnectDelay(30, () => 0)).toBe(2_500);
});

test("instances are taken in turn, and a single origin stays", () => {
  expect(nextInstance(["a", "b"], 0)).toBe(1);
  expect(nextInstance(["a", "b"], 1)).toBe(0);
  expect(nextInstance([], 0)).toBe(0);
});

const here = { origin: "http://127.0.0.1:8000", hostname: "127.0.0.1" };

test("an unreplaced placeholder names no instance", () => {
  expect(parseInstances("__INSTANCES__", here)).toEqual([]);
  expect(parseInstances(null, here)).toEqual([]);
});

test("the page's own address comes first, and other hosts, which the cookie does not go to, are left out", () => {
  const listed = "http://127.0.0.1:8001 http://127.0.0.1:8000 http://other.example";
  expect(parseInstances(listed, here)).toEqual(["http://127.0.0.1:8000", "http://127.0.0.1:8001"]);
});
