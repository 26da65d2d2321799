import { expect, test } from "vitest";
import type { QueueState } from "../api/types";
import { attemptWords, countOf, duration, kindWords, queueWords, sinceWords, workerWords } from "./words";

const queue: QueueState = { queue: "emails", queued: 3, delayed: 2, running: 1, failed: 4, oldest_seconds: 9, workers: 1, slots: 10 };
const NOW = Date.parse("2026-01-02T12:00:00Z");
const job = {
  created_at: "2026-01-02T11:00:00Z",
  due_at: "2026-01-02T11:58:00Z",
  started_at: "2026-01-02T11:59:30Z",
  finished_at: null,
};

test("kinds and queues have plain words, also those of a newer server", () => {
  expect(kindWords("send_invitation")).toBe("Send an invitation");
  expect(kindWords("water_the_plants")).toBe("Water the plants");
  expect(queueWords("emails").name).toBe("Emails");
  expect(queueWords("garden")).toEqual({ name: "Garden", about: "" });
});

test("how long something took is one number and one unit", () => {
  expect([0, 59.9, 60, 3_599, 3_600, 200_000].map(duration)).toEqual(["0 s", "59 s", "1 min", "59 min", "1 h", "2 d"]);
});

test("what waits counts whether it is due or not", () => {
  expect([countOf(queue, "queued"), countOf(queue, "running"), countOf(queue, "failed")]).toEqual([5, 1, 4]);
});

test("no worker is a worry only while something waits for one", () => {
  expect(workerWords(queue)).toEqual({ text: "1 (10 at once)", worry: false });
  expect(workerWords({ ...queue, workers: 0, slots: 0 })).toEqual({ text: "none", worry: true });
  expect(workerWords({ ...queue, workers: 0, slots: 0, queued: 0 }).worry).toBe(false);
});

test("what was tried is told apart from what broke off", () => {
  expect(attemptWords({ attempt: 0, failures: 0, crashes: 0 })).toBe("not tried yet");
  expect(attemptWords({ attempt: 1, failures: 0, crashes: 0 })).toBe("tried once");
  expect(attemptWords({ attempt: 4, failures: 3, crashes: 1 })).toBe("tried 4 times, 3 failed, 1 broke off with the worker");
});

test("a job says since when it runs, waits or has failed, and when it is due", () => {
  expect(sinceWords({ ...job, status: "running" }, NOW)).toBe("running for 30 s");
  expect(sinceWords({ ...job, status: "queued" }, NOW)).toBe("waiting for 2 min");
  expect(sinceWords({ ...job, status: "queued", due_at: "2026-01-02T12:15:00Z" }, NOW)).toBe("due in 15 min");
  expect(sinceWords({ ...job, status: "failed", finished_at: "2026-01-02T11:55:00Z" }, NOW)).toBe("failed 5 min ago");
});
