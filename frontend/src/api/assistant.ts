/** Every call about the assistant, typed. */
import { request } from "./http";
import { id, query } from "./paths";

export type AnswerStatus = "queued" | "running" | "done" | "failed" | "stopped";
export type Rating = "up" | "down";

export interface Citation {
  kind: "document" | "message";
  document_id?: string | null;
  message_id?: string | null;
  channel_id?: string | null;
  /** Where the message is in its channel. */
  seq?: number | null;
  version: number;
  title: string;
  quote: string;
  /** Code points of that version's text. */
  start: number;
  end: number;
  /** As the answer's text names it: `[1]`. */
  number: number;
}

export interface Token {
  index: number;
  text: string;
}

export interface Answer {
  id: string;
  /** Null for one that was asked in a channel. */
  conversation_id: string | null;
  question: string;
  status: AnswerStatus;
  text: string;
  tokens?: Token[];
  /** Its place in the line, from 1. */
  position?: number | null;
  citations: Citation[];
  rating: Rating | null;
  error?: { code: string; message: string } | null;
  created_at?: string;
}

export interface TalkSummary {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
}

export interface AssistantSettings {
  /** Null for the first of `models`. */
  model: string | null;
  models: string[];
  /** Null for no limit. */
  monthly_tokens: number | null;
  used_tokens: number;
}

export const assistant = {
  ask: (question: string, talk: string | null) =>
    request<{ answer: { id: string; conversation_id: string } }>("POST", "/assistant/questions", {
      body: { question, ...(talk === null ? {} : { conversation_id: talk }) },
    }),
  answer: (answer: string, after: number | null, signal?: AbortSignal) =>
    request<{ answer: Answer }>("GET", `/assistant/answers/${id(answer)}${query({ after })}`, { signal }),
  stop: (answer: string) => request<unknown>("POST", `/assistant/answers/${id(answer)}/stop`, { body: {} }),
  rate: (answer: string, rating: Rating | null, comment?: string) =>
    request<unknown>("PUT", `/assistant/answers/${id(answer)}/rating`, {
      body: { rating, ...(comment ? { comment } : {}) },
    }),
  talks: (cursor: string | null, limit: number) =>
    request<{ conversations: TalkSummary[]; next: string | null }>(
      "GET",
      `/assistant/conversations${query({ cursor, limit })}`,
    ),
  talk: (talk: string, cursor: string | null, limit: number) =>
    request<{ conversation: TalkSummary; answers: Answer[]; next: string | null }>(
      "GET",
      `/assistant/conversations/${id(talk)}${query({ cursor, limit })}`,
    ),
  removeTalk: (talk: string) => request<undefined>("DELETE", `/assistant/conversations/${id(talk)}`),
  settings: () => request<{ settings: AssistantSettings }>("GET", "/assistant/settings"),
  changeSettings: (body: { model?: string | null; monthly_tokens?: number | null }) =>
    request<{ settings: AssistantSettings }>("PUT", "/assistant/settings", { body }),
};
