import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer } from "../api/assistant";
import { ApiError } from "../api/errors";
import { Answers } from "./answers";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function answer(change: Partial<Answer> = {}): Answer {
  return { id: "a", conversation_id: "t", question: "Why?", status: "running", text: "", citations: [], rating: null, ...change };
}

function page() {
  const seen = { asked: [] as (number | null)[], answer: answer({ status: "queued" }) as Answer | Error, connected: true };
  const answers = new Answers({
    get: async (_, after) => {
      seen.asked.push(after);
      if (seen.answer instanceof Error) throw seen.answer;
      return { answer: seen.answer };
    },
    connected: () => seen.connected,
    setTimer: (run, ms) => setTimeout(run, ms),
    clearTimer: (timer) => clearTimeout(timer as number),
  });
  const view = () => answers.state.get().a;
  return { answers, seen, view };
}

const citation = { kind: "document" as const, document_id: "d", version: 1, title: "T", quote: "q", start: 0, end: 1, number: 1 };

test("pieces stream in, and the end brings the sources", async () => {
  const { answers, seen, view } = page();
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(0);
  answers.position("a", 2);
  expect(view()).toMatchObject({ status: "queued", position: 2 });
  answers.token({ answer_id: "a", index: 0, text: "Because " });
  answers.token({ answer_id: "a", index: 1, text: "so [1]." });
  expect(view()).toMatchObject({ status: "running", position: null, text: "Because so [1]." });
  seen.answer = answer({ status: "done", text: "Because so [1].", citations: [citation] });
  answers.done("a");
  await vi.advanceTimersByTimeAsync(0);
  expect(view()).toMatchObject({ status: "done", citations: [citation] });
  expect(seen.asked).toEqual([null, 1]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.asked.length).toBe(2);
});

test("a gap is filled by asking for what follows the last piece", async () => {
  const { answers, seen, view } = page();
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(0);
  answers.token({ answer_id: "a", index: 0, text: "a" });
  answers.token({ answer_id: "a", index: 3, text: "d" });
  expect(view()?.text).toBe("a");
  seen.answer = answer({ tokens: [{ index: 1, text: "b" }, { index: 2, text: "c" }] });
  await vi.advanceTimersByTimeAsync(400);
  expect(seen.asked).toEqual([null, 0]);
  expect(view()?.text).toBe("abcd");
});

test("a page that came back asks for what it missed, and duplicates change nothing", async () => {
  const { answers, seen, view } = page();
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(0);
  answers.token({ answer_id: "a", index: 0, text: "a" });
  seen.answer = answer({ tokens: [{ index: 0, text: "a" }, { index: 1, text: "b" }] });
  answers.resume();
  await vi.advanceTimersByTimeAsync(0);
  answers.token({ answer_id: "a", index: 1, text: "b" });
  expect(view()?.text).toBe("ab");
});

test("an end that nobody told is noticed", async () => {
  const { answers, seen, view } = page();
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(0);
  seen.answer = answer({ status: "failed", error: { code: "models_busy", message: "Too many questions." } });
  await vi.advanceTimersByTimeAsync(6_000);
  expect(view()).toMatchObject({ status: "failed", error: { message: "Too many questions." } });
});

test("without a connection it asks more often, and through failures", async () => {
  const { answers, seen, view } = page();
  seen.connected = false;
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(3_200);
  expect(seen.asked.length).toBe(3);
  seen.answer = new ApiError(503, { code: "unavailable", message: "Away." });
  await vi.advanceTimersByTimeAsync(1_600);
  expect(view()?.problem).toBe("Away.");
  seen.answer = answer({ status: "done", text: "whole" });
  await vi.advanceTimersByTimeAsync(15_000);
  expect(view()).toMatchObject({ status: "done", text: "whole", problem: null });
});

test("an answer that is not for me is not asked for again", async () => {
  const { answers, seen, view } = page();
  seen.answer = new ApiError(404, { code: "not_found", message: "There is no such answer." });
  answers.open("a");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.asked.length).toBe(1);
  expect(view()?.problem).toBe("There is no such answer.");
});

test("a list that was read earlier does not take back what streamed in", async () => {
  const { answers, view } = page();
  answers.asked("a", "Why?");
  await vi.advanceTimersByTimeAsync(0);
  answers.token({ answer_id: "a", index: 0, text: "a" });
  answers.take(answer({ status: "queued" }));
  expect(view()).toMatchObject({ status: "running", text: "a" });
});
