import { expect, test } from "vitest";
import { asksAssistant, failureWords, progressWords, shownTo, sourcePath } from "./words";

const citation = { kind: "document" as const, document_id: "d", version: 3, title: "T", quote: "q", start: 5, end: 9, number: 1 };

test("how far an answer is, is said until its text says it", () => {
  expect(progressWords({ status: "queued", position: 3, text: "" })).toBe("2 before you");
  expect(progressWords({ status: "queued", position: 1, text: "" })).toBe("You are next…");
  expect(progressWords({ status: "queued", position: null, text: "" })).toBe("Waiting for a free place…");
  expect(progressWords({ status: "running", position: null, text: "" })).toMatch(/^Looking/);
  expect(progressWords({ status: "running", position: null, text: "a" })).toBe("");
});

test("why an answer did not come is a sentence", () => {
  expect(failureWords({ error: { code: "models_busy", message: "busy" } })).toBe("Too many questions are waiting at the moment.");
  expect(failureWords({ error: { code: "other", message: "The budget is used up." } })).toBe("The budget is used up.");
  expect(failureWords({ error: null })).toBe("The answer broke off.");
});

test("a source opens where its quote stands", () => {
  expect(sourcePath(citation)).toBe("/documents/d?version=3&start=5&end=9");
  expect(sourcePath({ ...citation, kind: "message", document_id: null, message_id: "m", channel_id: "c", seq: 8 })).toBe("/c/c/m/8");
  expect(sourcePath({ ...citation, kind: "message", document_id: null, message_id: "m", channel_id: "c" })).toBe("/c/c/m/3");
});

test("a source without its quote is not to be shown", () => {
  expect(shownTo(citation)).toBe(true);
  expect(shownTo({ ...citation, quote: "" })).toBe(false);
});

test("what the assistant will answer is known before it is sent", () => {
  expect(["/ask why", " /ASK", "so @assistant, why?", "(@Assistant)"].map(asksAssistant)).toEqual([true, true, true, true]);
  expect(["/asking", "say /ask", "a@assistant.example", "@assistants"].map(asksAssistant)).toEqual([false, false, false, false]);
});
