/** Failures of the API as one typed error, with a sentence a person can act on. */
import type { ErrorBody, Problem } from "./types";

const SENTENCES: Record<string, string> = {
  offline: "Dashify cannot be reached. Check your connection and try again.",
  email_taken: "That email address already has an account. Sign in instead.",
  csrf_failed: "This page has grown stale. Reload it and try again.",
  timeout: "That took too long. Try again.",
};

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Problem[];
  readonly requestId: string | null;
  /** Seconds the server asked us to wait, where it did. */
  readonly retryAfter: number | null;

  constructor(status: number, body: ErrorBody, retryAfter: number | null = null) {
    super(SENTENCES[body.code] ?? body.message);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code;
    this.details = problems(body.details);
    this.requestId = body.request_id ?? null;
    this.retryAfter = retryAfter;
  }

  /** True where the same request may work later, unchanged. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502 || this.code === "unavailable";
  }
}

function problems(details: unknown): Problem[] {
  if (!Array.isArray(details)) return [];
  return details.filter(
    (item: unknown): item is Problem =>
      typeof item === "object" && item !== null && "field" in item && "problem" in item,
  );
}

/** Read an error out of any body, also one that a proxy wrote. */
export function errorFrom(status: number, body: unknown, retryAfter: number | null): ApiError {
  if (typeof body === "object" && body !== null && "error" in body) {
    const error = (body as { error: unknown }).error;
    if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
      return new ApiError(status, error as ErrorBody, retryAfter);
    }
  }
  const code = status >= 500 ? "unavailable" : "failed";
  return new ApiError(status, { code, message: fallback(status) }, retryAfter);
}

function fallback(status: number): string {
  if (status >= 500) return "Dashify is catching its breath. Try again in a moment.";
  if (status === 429) return "That was a little fast. Wait a moment and try again.";
  if (status === 404) return "That is not here, or not for you to see.";
  return "That did not work. Try again.";
}

/** Say what went wrong, naming the fields where the server did. */
export function sentence(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something unexpected went wrong. Try again.";
  if (error.status === 429 && error.retryAfter) return `Too many tries. Wait ${error.retryAfter} s and try again.`;
  const details = error.details.map((item) => `${item.field}: ${item.problem}`).join("; ");
  return details && error.code === "invalid" ? `Please check ${details}.` : error.message;
}
