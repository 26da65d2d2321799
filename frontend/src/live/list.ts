/** A long list of the server's, as one page of the web app shows it: newest first, older ones on demand. */
import { sentence } from "../api/errors";
import { extend, overlay, pageSize, type Pages } from "../sync/paging";
import { oneAtATime } from "../sync/shared";
import { Store } from "./store";

export interface ListState<T> {
  /** Null until the first answer. */
  pages: Pages<T> | null;
  /** Why the last reading failed; what was read before is still there. */
  problem: string | null;
  /** Older ones are on their way. */
  loading: boolean;
}

type Load<T> = (cursor: string | null, limit: number) => Promise<Pages<T>>;

const USUAL = 50;
const NOTHING = { rows: [], next: null };

export class List<T extends { id: string }> {
  readonly state = new Store<ListState<T>>({ pages: null, problem: null, loading: false });

  constructor(private readonly load: Load<T>) {}

  /** Read again what is shown. It never rejects: what goes wrong is in the state. */
  readonly refresh = oneAtATime(async () => {
    const known = this.state.get().pages ?? NOTHING;
    await this.attempt(async () => {
      const fresh = await this.load(null, pageSize(known.rows.length, USUAL));
      return overlay(fresh, this.state.get().pages ?? NOTHING);
    });
  });

  /** Load what is older than what is shown. It never rejects either. */
  async more(): Promise<void> {
    const { pages, loading } = this.state.get();
    if (!pages?.next || loading) return;
    const cursor = pages.next;
    this.state.set({ loading: true });
    await this.attempt(async () => {
      const older = await this.load(cursor, USUAL);
      const now = this.state.get().pages ?? NOTHING;
      // A list that was read anew meanwhile may end elsewhere.
      return now.next === cursor ? extend(now, older) : now;
    });
    this.state.set({ loading: false });
  }

  /** Show a row as it is now, where it is shown at all; null takes it away. Answers whether it was there. */
  put(id: string, row: T | null): boolean {
    const { pages } = this.state.get();
    if (!pages?.rows.some((one) => one.id === id)) return false;
    const rows = row === null ? pages.rows.filter((one) => one.id !== id) : pages.rows.map((one) => (one.id === id ? row : one));
    this.state.set({ pages: { ...pages, rows } });
    return true;
  }

  private async attempt(work: () => Promise<Pages<T>>): Promise<void> {
    try {
      this.state.set({ pages: await work(), problem: null });
    } catch (error) {
      this.state.set({ problem: sentence(error) });
    }
  }
}
