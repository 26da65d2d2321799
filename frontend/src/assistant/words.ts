/** What the assistant's page says. */
import type { Citation } from "../api/assistant";
import { passagePath } from "../documents/words";
import type { AnswerView } from "../live/answers";

/** The author of the assistant's messages. */
export const ASSISTANT_ID = "assistant";
export const ASSISTANT_NAME = "Assistant";
export const LONGEST_QUESTION = 4_000;

const FAILURES: Record<string, string> = {
  models_unavailable: "No model answers at the moment.",
  models_busy: "Too many questions are waiting at the moment.",
};

/** Say how far an answer is; empty where its text says enough. */
export function progressWords(answer: Pick<AnswerView, "status" | "position" | "text">): string {
  if (answer.status === "queued") {
    if (answer.position === null) return "Waiting for a free place…";
    return answer.position <= 1 ? "You are next…" : `${answer.position - 1} before you`;
  }
  return answer.status === "running" && answer.text === "" ? "Looking through what you may read…" : "";
}

/** Say why an answer did not come. */
export function failureWords(answer: Pick<AnswerView, "error">): string {
  const { error } = answer;
  if (!error) return "The answer broke off.";
  return FAILURES[error.code] ?? error.message;
}

/** A source that may still be read has its quote. */
export function shownTo(citation: Citation): boolean {
  return Boolean(citation.quote) && Boolean(citation.document_id ?? citation.message_id);
}

/** The page that shows a source. */
export function sourcePath(citation: Citation): string {
  if (citation.kind === "document") {
    return passagePath(citation.document_id ?? "", citation.version, citation.start, citation.end);
  }
  // A message that was never changed stands where its version says.
  return `/c/${encodeURIComponent(citation.channel_id ?? "")}/m/${citation.seq ?? citation.version}`;
}

/** True for a message that the assistant will answer. */
export function asksAssistant(text: string): boolean {
  return /^\/ask(?:\s|$)/i.test(text.trimStart()) || /(?:^|[^\p{L}\p{N}_@])@assistant(?![\p{L}\p{N}_])/iu.test(text);
}
