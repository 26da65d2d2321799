import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, sentence } from "./errors";
import { csrfToken, request, setHooks, waitBefore } from "./http";

interface Call {
  method: string;
  path: string;
  token: string | undefined;
}

let calls: Call[] = [];
let answers: [number, unknown, Record<string, string>?][] = [];
let ended = 0;
let strained: boolean[] = [];

beforeEach(() => {
  calls = [];
  answers = [];
  ended = 0;
  strained = [];
  setHooks({ unauthenticated: () => (ended += 1), strained: (now) => strained.push(now) });
  vi.stubGlobal("document", { cookie: "dashify_csrf=first" });
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    calls.push({ method: init.method ?? "", path, token: headers["X-CSRF-Token"] });
    const next = answers.shift();
    if (!next) return Promise.reject(new TypeError("network"));
    const [status, body, extra] = next;
    const text = status === 204 ? null : JSON.stringify(body);
    if (path.endsWith("/me") && status === 200) vi.stubGlobal("document", { cookie: "dashify_csrf=second" });
    return Promise.resolve(new Response(text, { status, headers: extra ?? {} }));
  });
});

afterEach(() => vi.unstubAllGlobals());

const error = (code: string) => ({ error: { code, message: "No.", details: [], request_id: "r" } });

test("the CSRF token is read under both names, the guarded one first", () => {
  expect(csrfToken("a=b; dashify_csrf=x")).toBe("x");
  expect(csrfToken("dashify_csrf=x; __Host-dashify_csrf=y")).toBe("y");
  expect(csrfToken("a=b")).toBeNull();
});

test("a stale token is replaced once, and the write repeated with the new one", async () => {
  answers.push([403, error("csrf_failed")], [200, { user: {} }], [201, { ok: 1 }]);
  await expect(request("POST", "/channels", { body: {} })).resolves.toEqual({ ok: 1 });
  expect(calls.map((call) => call.token)).toEqual(["first", undefined, "second"]);
});

test("a token that is refused twice is an error", async () => {
  answers.push([403, error("csrf_failed")], [200, {}], [403, error("csrf_failed")]);
  await expect(request("POST", "/channels", { body: {} })).rejects.toMatchObject({ code: "csrf_failed" });
  expect(calls).toHaveLength(3);
});

test("a write is never repeated on its own when the server is away", async () => {
  answers.push([503, error("unavailable")]);
  await expect(request("POST", "/channels", { body: {} })).rejects.toMatchObject({ status: 503 });
  expect(calls).toHaveLength(1);
});

test("a read is repeated while the server is away", async () => {
  vi.useFakeTimers();
  answers.push([503, error("unavailable")], [200, { channels: [] }]);
  const result = request("GET", "/channels");
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(result).resolves.toEqual({ channels: [] });
  vi.useRealTimers();
});

test("a 401 ends the session, but not where a wrong password is an answer", async () => {
  answers.push([401, error("unauthenticated")], [401, error("wrong")]);
  await expect(request("GET", "/channels")).rejects.toBeInstanceOf(ApiError);
  expect(ended).toBe(1);
  await expect(request("POST", "/auth/login", { body: {}, anonymous: true })).rejects.toBeInstanceOf(ApiError);
  expect(ended).toBe(1);
});

test("Retry-After sets the wait, and is told in words", async () => {
  expect(waitBefore(0, 3, () => 0)).toBe(3);
  expect(waitBefore(9, null, () => 1)).toBe(8);
  answers.push([429, error("too_many"), { "Retry-After": "12" }]);
  const failure: unknown = await request("POST", "/x", { body: {} }).catch((cause: unknown) => cause);
  expect(sentence(failure)).toContain("12 s");
});

test("a proxy's page is an error that a person can read", async () => {
  answers.push([502, "<html>"]);
  const failure: unknown = await request("POST", "/x", { body: {} }).catch((cause: unknown) => cause);
  expect(sentence(failure)).toMatch(/catching its breath/);
});

test("a server that is away is told, and the first answer after that ends it", async () => {
  answers.push([503, error("unavailable")], [200, {}], [200, {}]);
  await request("POST", "/channels", { body: {} }).catch(() => undefined);
  expect(strained).toEqual([true]);
  await request("GET", "/channels");
  await request("GET", "/channels");
  expect(strained).toEqual([true, false]);
});

test("a read that is no longer wanted is not repeated", async () => {
  const stop = new AbortController();
  answers.push([503, error("unavailable")]);
  stop.abort();
  await expect(request("GET", "/channels", { signal: stop.signal })).rejects.toMatchObject({ status: 503 });
  expect(calls).toHaveLength(1);
});

test("no network at all is told in words, and a write is left to whoever asked for it", async () => {
  const failure: unknown = await request("POST", "/channels", { body: {} }).catch((cause: unknown) => cause);
  expect(failure).toMatchObject({ status: 0, code: "offline", temporary: true });
  expect(sentence(failure)).toMatch(/cannot be reached/);
  expect(calls).toHaveLength(1);
});
