import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Channel } from "../api/types";
import { ChannelLog } from "../sync/log";
import { message, page, settle } from "../sync/testing";
import { Reading } from "./reading";
import { AckError } from "./socket";

const general: Channel = { id: "c", name: "general", private: false, head: 60, unread: 0, mentions: 0, joined: true, read_seq: 0 };

function room(change: Partial<Channel>, first = 51, last = 60) {
  const seqs = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const log = new ChannelLog();
  log.start(page(seqs, last, first > 1));
  const told: number[] = [];
  const failures: Error[] = [];
  let channel: Channel = { ...general, ...change };
  let recounts = 0;
  const reading = new Reading({
    channel: (id) => (id === "c" ? channel : undefined),
    putChannel: (next) => {
      channel = { ...channel, ...next };
    },
    engine: { log: () => log, refreshSoon: () => (recounts += 1) },
    connection: {
      ask: <T>(_: string, payload: unknown): Promise<T> => {
        told.push((payload as { seq: number }).seq);
        const failure = failures.shift();
        return failure ? Promise.reject(failure) : Promise.resolve({} as T);
      },
    },
    state: { get: () => ({ me: { id: "me" } }) },
  });
  return { reading, log, told, failures, channel: () => channel, recounts: () => recounts };
}

beforeEach(() => vi.stubGlobal("document", { visibilityState: "visible" }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a channel at its end on a visible page is read, and that is told once", () => {
  const { reading, told, channel } = room({ unread: 3, mentions: 1 });
  reading.setAtEnd("c", true);
  reading.considerAll();
  expect(channel()).toMatchObject({ unread: 0, mentions: 0 });
  expect(told).toEqual([60]);
});

test("a page that nobody looks at reads nothing, and neither does one scrolled back", () => {
  const { reading, told, channel } = room({ unread: 3 });
  reading.consider("c");
  vi.stubGlobal("document", { visibilityState: "hidden" });
  reading.setAtEnd("c", true);
  expect(told).toEqual([]);
  expect(channel().unread).toBe(3);
});

test("a mark that another device moved leaves what comes after it unread", () => {
  const { reading, channel } = room({ unread: 9 });
  reading.apply("c", 58);
  expect(channel().unread).toBe(2);
});

test("a mark before the loaded messages is left to the server to count", () => {
  const { reading, channel, recounts } = room({ unread: 40 });
  reading.apply("c", 30);
  expect(channel().unread).toBe(40);
  expect(recounts()).toBe(1);
});

test("a count that is older than what was read here does not make it unread again", () => {
  const { reading, log, channel } = room({ unread: 3 });
  reading.setAtEnd("c", true);
  reading.setAtEnd("c", false);
  log.take(61, message(61));
  expect(reading.correct({ ...channel(), head: 61, unread: 4, read_seq: 57 }).unread).toBe(1);
  expect(reading.correct({ ...channel(), head: 61, unread: 4, read_seq: 60 }).unread).toBe(4);
});

test("a server that was late is told again, and one that refuses is not", async () => {
  vi.useFakeTimers();
  const { reading, told, failures } = room({ unread: 3 });
  failures.push(new AckError("timeout", "Late."), new AckError("not_found", "Gone."));
  reading.setAtEnd("c", true);
  await vi.advanceTimersByTimeAsync(20_000);
  await settle();
  expect(told).toEqual([60, 60]);
});
