/** How long to wait before the next attempt to connect, so that a restarted server is not stormed. */

const FIRST_MS = 300;
const LONGEST_MS = 5_000;

/** Milliseconds before attempt `attempt` (from 0): random 0 to 300, then doubling to 5 s, with jitter. */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  if (attempt <= 0) return random() * FIRST_MS;
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return ceiling * (0.5 + random() * 0.5);
}

/** The address for the next attempt: the same once more for a first retry would often meet the same closed door. */
export function nextInstance(urls: readonly string[], current: number): number {
  return urls.length === 0 ? 0 : (current + 1) % urls.length;
}

/**
 * Read the list in the page's `dashify-instances`: the page's own address first, then the others on the same host, which are
 * the ones the session cookie goes to. Without a usable list there is nowhere else to go.
 */
export function parseInstances(content: string | null, page: { origin: string; hostname: string }): string[] {
  const listed = (content ?? "").split(/[\s,]+/).filter((url) => URL.canParse(url));
  const others = listed.map((url) => new URL(url)).filter((url) => url.hostname === page.hostname && /^https?:$/.test(url.protocol));
  const origins = others.map((url) => url.origin).filter((origin) => origin !== page.origin);
  return origins.length ? [page.origin, ...new Set(origins)] : [];
}
