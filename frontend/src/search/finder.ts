/** Search as one types: it waits for a pause, and only the answer to the latest question counts. */
import { sentence } from "../api/errors";
import type { Found, FoundKind } from "../api/knowledge";
import { Store } from "../live/store";

export interface FinderState {
  /** What `results` were found for; empty before anything was. */
  found: string;
  results: Found[] | null;
  next: string | null;
  busy: boolean;
  problem: string | null;
}

export interface FinderPorts {
  find: (
    query: string,
    kind: FoundKind | null,
    cursor: string | null,
    limit: number,
    signal: AbortSignal,
  ) => Promise<{ results: Found[]; next: string | null }>;
  setTimer: (run: () => void, ms: number) => unknown;
  clearTimer: (timer: unknown) => void;
}

const PAUSE_MS = 220;
export const LONGEST_QUERY = 400;
const NOTHING: FinderState = { found: "", results: null, next: null, busy: false, problem: null };

export class Finder {
  readonly state = new Store<FinderState>(NOTHING);
  private timer: unknown = null;
  private asked: AbortController | null = null;
  private query = "";
  private kind: FoundKind | null = null;

  constructor(private readonly ports: FinderPorts, private readonly limit: number) {}

  /** Look for something; at once, where somebody does not type but chose. */
  look(text: string, kind: FoundKind | null, now = false): void {
    const query = [...text.trim()].slice(0, LONGEST_QUERY).join("");
    if (query === this.query && kind === this.kind && !this.state.get().problem) return;
    this.cancel();
    this.query = query;
    this.kind = kind;
    if (query === "") {
      this.state.set(NOTHING);
      return;
    }
    this.state.set({ busy: true });
    if (now) void this.run(null);
    else this.timer = this.ports.setTimer(() => void this.run(null), PAUSE_MS);
  }

  /** Try the same again. */
  again(): void {
    this.cancel();
    this.state.set({ busy: true, problem: null });
    void this.run(null);
  }

  more(): void {
    const { next, busy } = this.state.get();
    if (next === null || busy) return;
    this.state.set({ busy: true });
    void this.run(next);
  }

  stop(): void {
    this.cancel();
    this.query = "";
  }

  private async run(cursor: string | null): Promise<void> {
    const asked = new AbortController();
    this.asked = asked;
    const query = this.query;
    try {
      const page = await this.ports.find(query, this.kind, cursor, this.limit, asked.signal);
      if (this.asked !== asked) return;
      const before = cursor === null ? [] : (this.state.get().results ?? []);
      const known = new Set(before.map(keyOf));
      const fresh = page.results.filter((one) => !known.has(keyOf(one)));
      this.state.set({ found: query, results: [...before, ...fresh], next: page.next, busy: false, problem: null });
    } catch (error) {
      if (this.asked === asked) this.state.set({ busy: false, problem: sentence(error) });
    }
  }

  private cancel(): void {
    if (this.timer !== null) this.ports.clearTimer(this.timer);
    this.timer = null;
    this.asked?.abort();
    this.asked = null;
  }
}

export function keyOf(found: Found): string {
  return `${found.kind}:${found.id}`;
}
