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

/** Read the list in the page's `dashify-instances`; an unreplaced placeholder counts as empty. */
export function parseInstances(content: string | null): string[] {
  return (content ?? "").split(/[\s,]+/).filter((url) => /^https?:\/\//.test(url));
}
