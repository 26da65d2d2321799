/** Queues and jobs as one talks of them. */
import type { OpenStatus, QueueJob, QueueState } from "../api/types";

interface QueueWords {
  name: string;
  about: string;
}

const QUEUES: Record<string, QueueWords> = {
  emails: { name: "Emails", about: "Invitations, password resets, digests and summaries" },
  reports: { name: "Reports", about: "Exports as CSV and PDF" },
  indexer: { name: "Indexing", about: "Documents being made ready for search" },
  notifications: { name: "Notifications", about: "Who is told of mentions and replies" },
  audit: { name: "Audit", about: "Sealing the audit log, and checks" },
  assistant: { name: "Assistant", about: "Questions being answered" },
};

const KINDS: Record<string, string> = {
  send_invitation: "Send an invitation",
  send_password_reset: "Send a password reset",
  send_digest: "Send a daily digest",
  send_week: "Send the summary of a week",
  export_channel: "Export a channel",
  export_members: "Export the list of people",
  export_audit: "Export the audit log",
  remove_old_files: "Clear away old exports",
  read_upload: "Read an uploaded file",
  index_document: "Index a document",
  index_channel: "Index a channel",
  purge_document: "Remove a deleted document",
  purge_tenant: "Remove a closed organization",
  nightly_tick: "Begin the nightly check of the index",
  reconcile_tenant: "Check the index",
  answer_question: "Answer a question",
  fan_out: "Tell people of a message",
  digest_tick: "Begin the daily digests",
  weekly_tick: "Begin the summaries of a week",
  sum_up_week: "Sum up a week",
  seal_audit: "Seal the audit log",
  self_check: "Check that jobs run",
  clean_sessions: "Clear away ended sessions",
};

export const STATUS_WORDS: Record<OpenStatus, string> = { failed: "Failed", queued: "Waiting", running: "Running" };
export const STATUSES: OpenStatus[] = ["failed", "queued", "running"];

/** Turn a name of code into words; for what a newer server may bring. */
export function wordsOf(name: string): string {
  const words = name.replace(/[_.]+/g, " ").trim();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : "Something";
}

export function queueWords(queue: string): QueueWords {
  return QUEUES[queue] ?? { name: wordsOf(queue), about: "" };
}

export function kindWords(kind: string): string {
  return KINDS[kind] ?? wordsOf(kind);
}

const UNITS: [string, number][] = [["d", 86_400], ["h", 3_600], ["min", 60]];

/** Say how long something takes, in the largest unit that fits. */
export function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`;
}

/** How many jobs stand in a state, as the overview counts them. */
export function countOf(queue: QueueState, status: OpenStatus): number {
  return status === "queued" ? queue.queued + queue.delayed : queue[status];
}

/** Say who works on a queue; `worry` where jobs wait and nobody does. */
export function workerWords(queue: QueueState): { text: string; worry: boolean } {
  if (queue.workers === 0) return { text: "none", worry: queue.queued > 0 };
  return { text: `${queue.workers} (${queue.slots} at once)`, worry: false };
}

/** Say what was tried. */
export function attemptWords(job: Pick<QueueJob, "attempt" | "failures" | "crashes">): string {
  if (job.attempt === 0) return "not tried yet";
  const parts = [`tried ${job.attempt === 1 ? "once" : `${job.attempt} times`}`];
  if (job.failures > 0) parts.push(`${job.failures} failed`);
  if (job.crashes > 0) parts.push(`${job.crashes} broke off with the worker`);
  return parts.join(", ");
}

/** Say since when, or until when, a job stands as it does. */
export function sinceWords(job: Pick<QueueJob, "status" | "created_at" | "due_at" | "started_at" | "finished_at">, now = Date.now()): string {
  const until = (time: string) => (Date.parse(time) - now) / 1000;
  if (job.status === "failed") return `failed ${duration(-until(job.finished_at ?? job.created_at))} ago`;
  if (job.status === "running") return `running for ${duration(-until(job.started_at ?? job.created_at))}`;
  const wait = until(job.due_at);
  return wait >= 1 ? `due in ${duration(wait)}` : `waiting for ${duration(-wait)}`;
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
}
