import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Notice, NoticePage } from "../api/types";
import { NO_NOTICES, NoticeBox, type Notices } from "./notices";

const NOW = "2026-01-02T12:00:00.000Z";

function notice(number: number, change: Partial<Notice> = {}): Notice {
  return {
    id: `n${number}`,
    kind: "mention",
    channel_id: "c",
    channel_name: "general",
    message_id: `m${number}`,
    thread_id: null,
    seq: number,
    author_id: "bob",
    author_name: "Bob",
    snippet: "hi @Alice",
    created_at: `2026-01-02T03:04:${String(number).padStart(2, "0")}.000Z`,
    read_at: null,
    ...change,
  };
}

function box(answers: (NoticePage | Error | Promise<NoticePage>)[] = []) {
  let state: Notices = NO_NOTICES;
  const asked: [string | null, number][] = [];
  const told: unknown[] = [];
  const read = { seen: false, fails: false, left: 0 };
  const notices = new NoticeBox({
    get: () => state,
    set: (next) => {
      state = next;
    },
    page: async (cursor, limit) => {
      asked.push([cursor, limit]);
      const answer = await answers.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? { notifications: [], unread: 0, next: null };
    },
    read: (which) => {
      told.push(which);
      return read.fails ? Promise.reject(new Error("away")) : Promise.resolve({ unread: read.left });
    },
    seen: () => read.seen,
    now: () => NOW,
  });
  return { notices, asked, told, read, state: () => state };
}

const page = (numbers: number[], unread: number, next: string | null = null): NoticePage => ({
  notifications: numbers.map((number) => notice(number)),
  unread,
  next,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a new notification goes to the top, counts once, and is there to be announced", async () => {
  const { notices, state } = box([page([2, 1], 2)]);
  await notices.refresh();
  notices.arrived(notice(3));
  notices.arrived(notice(3));
  expect(state().rows.map((row) => row.id)).toEqual(["n3", "n2", "n1"]);
  expect(state().unread).toBe(3);
  expect(state().heard?.id).toBe("n3");
});

test("one of a message that I have read already is marked as read, and not announced", () => {
  const { notices, read, told, state } = box();
  read.seen = true;
  notices.arrived(notice(1));
  expect(told).toEqual([{ ids: ["n1"] }]);
  expect(state()).toMatchObject({ unread: 0, heard: null });
  expect(state().rows[0]?.read_at).toBe(NOW);
});

test("what another device of mine read is read here, with the server's count", async () => {
  const { notices, state } = box([page([3, 2, 1], 9, "n1")]);
  await notices.refresh();
  notices.wereRead(["n2", "n0"], 7);
  expect(state().rows.map((row) => row.read_at)).toEqual([null, NOW, null]);
  expect(state().unread).toBe(7);
  notices.wereRead(null, 0);
  expect(state().rows.every((row) => row.read_at === NOW)).toBe(true);
  expect(state().unread).toBe(0);
});

test("reading one shows at once, and telling it twice is not needed", async () => {
  const { notices, told, read, state } = box([page([2, 1], 2)]);
  await notices.refresh();
  read.left = 1;
  const marking = notices.markRead("n2");
  expect(state().unread).toBe(1);
  await marking;
  await notices.markRead("n2");
  expect(told).toEqual([{ ids: ["n2"] }]);
});

test("where marking all as read fails, the server is asked how things stand", async () => {
  const { notices, read, state } = box([page([2, 1], 2), page([2, 1], 2)]);
  await notices.refresh();
  read.fails = true;
  await expect(notices.markAllRead()).rejects.toThrow("away");
  expect(state().unread).toBe(0);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(state().unread).toBe(2);
});

test("what comes while the list is on its way is not lost, and the server is asked once more", async () => {
  let answer: (page: NoticePage) => void = () => undefined;
  const late = new Promise<NoticePage>((resolve) => {
    answer = resolve;
  });
  const { notices, asked, state } = box([late, page([2, 1], 2)]);
  const fetching = notices.refresh();
  notices.arrived(notice(2));
  answer(page([1], 1));
  await fetching;
  expect(state().rows.map((row) => row.id)).toEqual(["n2", "n1"]);
  expect(state().unread).toBe(2);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(asked).toHaveLength(2);
});

test("older ones are loaded by cursor, and stay when the newest are fetched again", async () => {
  const { notices, asked, state } = box([page([4, 3], 4, "n3"), page([2], 4, "n2"), page([5, 4, 3], 5, "n3")]);
  await notices.refresh();
  await notices.more();
  await notices.refresh();
  expect(asked).toEqual([[null, 30], ["n3", 30], [null, 30]]);
  expect(state().rows.map((row) => row.id)).toEqual(["n5", "n4", "n3", "n2"]);
  expect(state().next).toBe("n2");
});

test("a stopped box asks for nothing any more", async () => {
  const { notices, asked } = box();
  notices.refreshSoon();
  notices.stop();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(asked).toEqual([]);
});
