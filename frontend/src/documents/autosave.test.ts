import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import type { Draft, WholeDocument } from "../api/knowledge";
import { Autosave } from "./autosave";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Kept = Omit<Draft, "saved_at">;

function editing(draft: Draft | null = null) {
  const seen = { drafts: [] as Kept[], saves: [] as unknown[], discards: 0, fail: null as Error | null, version: 1, hold: null as Promise<void> | null };
  const autosave = new Autosave(
    {
      saveDraft: async (kept) => {
        seen.drafts.push(kept);
        await seen.hold;
        if (seen.fail) throw seen.fail;
        return { draft: { ...kept, saved_at: "2026-01-02T12:03:00.000Z" } };
      },
      discardDraft: async () => {
        seen.discards += 1;
      },
      save: async (change) => {
        seen.saves.push(change);
        await seen.hold;
        if (seen.fail) throw seen.fail;
        seen.version += 1;
        return { document: { title: change.title, text: change.text, version: seen.version } as WholeDocument };
      },
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as number),
    },
    { title: "T", text: "one", version: 1, draft },
  );
  return { autosave, seen };
}

const conflict = new ApiError(409, {
  code: "version_conflict", message: "Meanwhile.", details: [{ field: "version", problem: "is not the latest", current: 4 }],
});
const away = new ApiError(503, { code: "unavailable", message: "Away." });

test("a draft is kept after a pause, once for all that was written", async () => {
  const { autosave, seen } = editing();
  autosave.write({ text: "on" });
  await vi.advanceTimersByTimeAsync(1_000);
  autosave.write({ text: "one two" });
  await vi.advanceTimersByTimeAsync(1_400);
  expect(seen.drafts).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(seen.drafts).toEqual([{ title: "T", text: "one two", base_version: 1 }]);
  expect(autosave.state.get()).toMatchObject({ phase: "clean", drafted: "2026-01-02T12:03:00.000Z" });
  expect(autosave.changed).toBe(true);
});

test("what is written while a draft is on its way goes with the next one", async () => {
  const { autosave, seen } = editing();
  let free: () => void = () => undefined;
  seen.hold = new Promise<void>((resolve) => (free = resolve));
  autosave.write({ text: "a" });
  await vi.advanceTimersByTimeAsync(1_600);
  autosave.write({ text: "ab" });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(seen.drafts.length).toBe(1);
  free();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen.drafts.map((draft) => draft.text)).toEqual(["a", "ab"]);
  expect(autosave.state.get().phase).toBe("clean");
});

test("saving makes a version, and needs no draft any more", async () => {
  const { autosave, seen } = editing();
  autosave.write({ text: "two" });
  const saved = await autosave.save();
  expect(saved?.version).toBe(2);
  expect(seen.saves).toEqual([{ title: "T", text: "two", version: 1 }]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen.drafts).toEqual([]);
  expect(autosave.changed).toBe(false);
  expect(autosave.state.get()).toMatchObject({ base: 2, phase: "clean", drafted: null });
});

test("a server that is away is tried again, ever more slowly, and nothing is lost", async () => {
  const { autosave, seen } = editing();
  seen.fail = away;
  autosave.write({ text: "two" });
  await vi.advanceTimersByTimeAsync(1_600);
  expect(autosave.state.get()).toMatchObject({ phase: "failing", problem: "Away.", written: { text: "two" } });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.drafts.length).toBeLessThan(7);
  seen.fail = null;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(autosave.state.get()).toMatchObject({ phase: "clean", problem: null });
});

test("what the server refuses for good is not asked again until more is written", async () => {
  const { autosave, seen } = editing();
  seen.fail = new ApiError(413, { code: "too_large", message: "Too large." });
  autosave.write({ text: "two" });
  await vi.advanceTimersByTimeAsync(120_000);
  expect(seen.drafts.length).toBe(1);
  autosave.write({ text: "three" });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen.drafts.length).toBe(2);
});

test("a conflict keeps the draft, names the version that is there, and can be settled", async () => {
  const { autosave, seen } = editing();
  autosave.write({ text: "mine" });
  seen.fail = conflict;
  expect(await autosave.save()).toBeNull();
  seen.fail = null;
  expect(autosave.state.get()).toMatchObject({ phase: "conflict", current: 4, written: { text: "mine" } });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(seen.drafts).toEqual([{ title: "T", text: "mine", base_version: 1 }]);
  expect(autosave.state.get().phase).toBe("conflict");
  autosave.rebase({ title: "T", text: "theirs", version: 4 }, { title: "T", text: "both" });
  await autosave.save();
  expect(seen.saves.at(-1)).toEqual({ title: "T", text: "both", version: 4 });
});

test("a draft of an older version is a conflict from the start", () => {
  const { autosave } = editing({ title: "T", text: "mine", base_version: 0, saved_at: "2026-01-01T00:00:00.000Z" });
  expect(autosave.state.get()).toMatchObject({ phase: "conflict", current: 1, written: { text: "mine" } });
});

test("whoever leaves keeps what they wrote", async () => {
  const { autosave, seen } = editing();
  autosave.write({ text: "last words" });
  autosave.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.drafts).toEqual([{ title: "T", text: "last words", base_version: 1 }]);
});

test("a draft that is discarded leaves the version", async () => {
  const { autosave, seen } = editing({ title: "T", text: "mine", base_version: 1, saved_at: "2026-01-01T00:00:00.000Z" });
  expect(autosave.changed).toBe(true);
  await autosave.discard();
  expect(seen.discards).toBe(1);
  expect(autosave.state.get()).toMatchObject({ written: { title: "T", text: "one" }, phase: "clean", drafted: null });
});
