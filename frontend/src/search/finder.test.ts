import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { Found } from "../api/knowledge";
import { Finder } from "./finder";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function found(id: string): Found {
  return {
    kind: "document", id, title: id, snippet: "", marks: [], channel_id: null, seq: null, version: 1, start: null, end: null,
    author_id: null, at: null,
  };
}

function searching() {
  const seen = { asked: [] as string[], waits: {} as Record<string, number>, fail: null as Error | null, next: null as string | null };
  const finder = new Finder(
    {
      find: async (query, kind, cursor) => {
        seen.asked.push([query, kind, cursor].filter(Boolean).join("/"));
        await new Promise((resolve) => setTimeout(resolve, seen.waits[query] ?? 10));
        if (seen.fail) throw seen.fail;
        return { results: cursor ? [found("first"), found("second")] : [found(query === "more" ? "first" : query)], next: cursor ? null : seen.next };
      },
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as number),
    },
    20,
  );
  const ids = () => finder.state.get().results?.map((one) => one.id);
  return { finder, seen, ids };
}

test("one question is asked for what was typed in one go", async () => {
  const { finder, seen, ids } = searching();
  for (const text of ["b", "ba", "back", " backup "]) {
    finder.look(text, null);
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(300);
  expect(seen.asked).toEqual(["backup"]);
  expect(ids()).toEqual(["backup"]);
});

test("an answer that comes late does not replace a newer one", async () => {
  const { finder, seen, ids } = searching();
  seen.waits = { slow: 2_000 };
  finder.look("slow", null, true);
  await vi.advanceTimersByTimeAsync(500);
  finder.look("quick", null, true);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(ids()).toEqual(["quick"]);
  expect(finder.state.get().busy).toBe(false);
});

test("a failure is said, and what was found before stays", async () => {
  const { finder, seen, ids } = searching();
  finder.look("one", null, true);
  await vi.advanceTimersByTimeAsync(50);
  seen.fail = new ApiError(503, { code: "unavailable", message: "The index is away." });
  finder.look("two", null, true);
  await vi.advanceTimersByTimeAsync(50);
  expect(finder.state.get().problem).toBe("The index is away.");
  expect(ids()).toEqual(["one"]);
  seen.fail = null;
  finder.again();
  await vi.advanceTimersByTimeAsync(50);
  expect(finder.state.get().problem).toBeNull();
  expect(ids()).toEqual(["two"]);
});

test("more goes behind what is there, each once", async () => {
  const { finder, seen, ids } = searching();
  seen.next = "20";
  finder.look("more", null, true);
  await vi.advanceTimersByTimeAsync(50);
  finder.more();
  await vi.advanceTimersByTimeAsync(50);
  expect(ids()).toEqual(["first", "second"]);
  expect(seen.asked).toEqual(["more", "more/20"]);
});

test("nothing to look for finds nothing", async () => {
  const { finder, seen } = searching();
  finder.look("a", null);
  finder.look("  ", null);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen.asked).toEqual([]);
  expect(finder.state.get()).toMatchObject({ results: null, busy: false });
});
