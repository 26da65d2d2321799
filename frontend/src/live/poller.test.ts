import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Poller } from "./poller";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function polled() {
  const seen = { runs: 0, asleep: false, pending: [] as (() => void)[], slow: false };
  const poller = new Poller(
    {
      work: () => {
        seen.runs += 1;
        return seen.slow ? new Promise((resolve) => seen.pending.push(resolve)) : Promise.resolve();
      },
      asleep: () => seen.asleep,
    },
    10_000,
    1_000,
  );
  return { poller, seen };
}

test("it reads at once, and then every ten seconds", async () => {
  const { poller, seen } = polled();
  poller.nudge();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.runs).toBe(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(seen.runs).toBe(3);
});

test("a burst of news is one more reading, a rest later", async () => {
  const { poller, seen } = polled();
  poller.nudge();
  await vi.advanceTimersByTimeAsync(0);
  for (let time = 0; time < 9; time += 1) {
    poller.nudge();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(seen.runs).toBe(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(seen.runs).toBe(2);
});

test("news during a reading are read after it, never beside it", async () => {
  const { poller, seen } = polled();
  seen.slow = true;
  poller.nudge();
  await vi.advanceTimersByTimeAsync(0);
  poller.nudge();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.runs).toBe(1);
  seen.pending.shift()?.();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen.runs).toBe(2);
});

test("nothing is read while nobody looks, nor after it was stopped", async () => {
  const { poller, seen } = polled();
  seen.asleep = true;
  poller.nudge();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.runs).toBe(0);
  seen.asleep = false;
  poller.nudge();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.runs).toBe(1);
  poller.stop();
  poller.nudge();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.runs).toBe(1);
});
