/** One JSON request to our own origin: the CSRF token, retries, and what happens when the session has ended. */
import { ApiError, errorFrom } from "./errors";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Hooks {
  /** The server no longer knows our session. */
  unauthenticated: () => void;
  /** The server is away for the moment (true), or answers again (false). */
  strained: (now: boolean) => void;
}

export interface Options {
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** A 401 is an answer here (a wrong password), not the end of a session. */
  anonymous?: boolean;
  /** How often a GET is tried again while the server is away. */
  retries?: number;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const GET_RETRIES = 4;
const LONGEST_WAIT_S = 8;

let hooks: Hooks = { unauthenticated: () => undefined, strained: () => undefined };

export function setHooks(next: Hooks): void {
  hooks = next;
  strained = false;
}

/** Read the CSRF token as it is now: signing in, here or in another tab, changes it. */
export function csrfToken(cookies: string): string | null {
  const jar = new Map<string, string>();
  for (const part of cookies.split(";")) {
    const at = part.indexOf("=");
    if (at > 0) jar.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  return jar.get("__Host-dashify_csrf") ?? jar.get("dashify_csrf") ?? null;
}

async function once(method: Method, path: string, options: Options): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const token = method === "GET" ? null : csrfToken(document.cookie);
  if (token) headers["X-CSRF-Token"] = token;
  const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    });
    text = await response.text();
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    const code = timeout.aborted ? "timeout" : "offline";
    throw new ApiError(0, { code, message: "Dashify cannot be reached." });
  }
  const body = parse(text);
  if (response.ok) return body;
  const after = Number(response.headers.get("Retry-After"));
  throw errorFrom(response.status, body, Number.isFinite(after) && after > 0 ? after : null);
}

let strained = false;

function strain(now: boolean): void {
  if (now || strained) hooks.strained(now);
  strained = now;
}

function parse(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds before another try: what the server asked for, else doubling with jitter. */
export function waitBefore(attempt: number, retryAfter: number | null, random: () => number = Math.random): number {
  const own = 0.4 * 2 ** attempt * (0.5 + random());
  return Math.min(LONGEST_WAIT_S, retryAfter === null ? own : retryAfter + random() * 0.5);
}

/**
 * Send one request and answer its JSON.
 *
 * Only GETs are repeated on their own; a write is repeated once, after a stale CSRF token was replaced.
 * Raises ApiError.
 */
export async function request<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  let renewed = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const body = await once(method, path, options);
      strain(false);
      return body as T;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "csrf_failed" && !renewed) {
        renewed = true;
        await once("GET", "/me", { anonymous: true }).catch(() => undefined);
        continue;
      }
      if (error.status === 401 && !options.anonymous) hooks.unauthenticated();
      const again = method === "GET" && error.temporary && attempt < (options.retries ?? GET_RETRIES);
      if (!again || options.signal?.aborted) {
        if (error.status === 503) strain(true);
        throw error;
      }
      if (error.status >= 502) strain(true);
      await pause(waitBefore(attempt, error.retryAfter) * 1000);
    }
  }
}
