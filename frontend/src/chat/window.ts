/** Which part of a long channel is on screen, so that a year of messages scrolls like a day of them. */
import type { Message } from "../api/types";

export interface Window {
  /** Posting number of the first message shown; null for "the newest few". */
  first: number | null;
  /** Posting number of the last message shown; null follows the newest. */
  last: number | null;
}

export const LIVE: Window = { first: null, last: null };
const FEW = 60;
const STEP = 60;
export const MOST = 300;

/** The messages to show, at most MOST, oldest first. */
export function slice(messages: readonly Message[], window: Window): readonly Message[] {
  const end = window.last === null ? messages.length : messages.findLastIndex((one) => one.seq <= (window.last ?? 0)) + 1;
  const start =
    window.first === null ? Math.max(0, end - FEW) : Math.max(0, messages.findIndex((one) => one.seq >= (window.first ?? 0)));
  return messages.slice(Math.max(start, end - MOST), end);
}

/** Show a step more of the past; null where memory holds no more of it. */
export function earlier(messages: readonly Message[], window: Window): Window | null {
  const shown = slice(messages, window);
  const start = shown[0] ? messages.indexOf(shown[0]) : messages.length;
  if (start <= 0) return null;
  const from = Math.max(0, start - STEP);
  const end = Math.min(start + shown.length, from + MOST);
  const first = messages[from]?.seq ?? null;
  return { first, last: end >= messages.length ? null : (messages[end - 1]?.seq ?? null) };
}

/** Show a message with what stands around it; of one that is not there, what stands before. */
export function around(messages: readonly Message[], seq: number): { window: Window; found: Message | undefined } {
  const at = Math.max(0, messages.findLastIndex((one) => one.seq <= seq));
  const end = at + STEP / 2;
  const first = messages[Math.max(0, at - STEP / 2)]?.seq ?? null;
  return { window: { first, last: end >= messages.length ? null : (messages[end]?.seq ?? null) }, found: messages[at] };
}

/** Show a step more towards the present; null where the newest is on screen. */
export function later(messages: readonly Message[], window: Window): Window | null {
  if (window.last === null) return null;
  const shown = slice(messages, window);
  const newest = shown.at(-1);
  const end = Math.min(messages.length, (newest ? messages.indexOf(newest) + 1 : 0) + STEP);
  const from = Math.max(0, end - MOST);
  const last = end >= messages.length ? null : (messages[end - 1]?.seq ?? null);
  return { first: Math.max(messages[from]?.seq ?? 0, window.first ?? 0), last };
}
