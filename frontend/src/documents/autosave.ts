/**
 * Keeps what somebody writes as a draft on the server while they write, and turns it into a version when they say so.
 *
 * At most one request is under way; what is written meanwhile goes with the next one. A failure is tried again, and what
 * was written is in the state whatever happens.
 */
import { ApiError, sentence } from "../api/errors";
import type { Draft, WholeDocument } from "../api/knowledge";
import { Store } from "../live/store";

export interface Written {
  title: string;
  text: string;
}

export type Phase =
  /** As it was saved, or as the draft has it. */
  | "clean"
  /** Written, and not yet on its way. */
  | "waiting"
  | "drafting"
  | "saving"
  /** The draft could not be kept; it is tried again. */
  | "failing"
  /** Somebody saved another version meanwhile. */
  | "conflict";

export interface EditState {
  written: Written;
  /** The version that the edit began from. */
  base: number;
  phase: Phase;
  /** When the server last kept the draft; null where there is none. */
  drafted: string | null;
  problem: string | null;
  /** The version that is there now, where it is another than the edit began from. */
  current: number | null;
}

export interface AutosavePorts {
  saveDraft: (draft: Omit<Draft, "saved_at">) => Promise<{ draft: Draft }>;
  discardDraft: () => Promise<unknown>;
  save: (change: Written & { version: number }) => Promise<{ document: WholeDocument }>;
  setTimer: (run: () => void, ms: number) => unknown;
  clearTimer: (timer: unknown) => void;
}

const REST_MS = 1_500;
const AGAIN_MS = [2_000, 5_000, 15_000, 30_000];

export class Autosave {
  readonly state: Store<EditState>;
  /** What the server has: as the version, and as the draft. */
  private saved: Written;
  private kept: Written;
  private timer: unknown = null;
  private busy: Promise<void> | null = null;
  private failures = 0;
  private closed = false;

  constructor(private readonly ports: AutosavePorts, document: Pick<WholeDocument, "title" | "text" | "version" | "draft">) {
    const { title, text, version, draft } = document;
    this.saved = { title, text };
    const written = draft ? { title: draft.title, text: draft.text } : this.saved;
    this.kept = written;
    const stale = draft !== null && draft.base_version !== version;
    this.state = new Store<EditState>({
      written,
      base: draft?.base_version ?? version,
      phase: stale ? "conflict" : "clean",
      drafted: draft?.saved_at ?? null,
      problem: null,
      current: stale ? version : null,
    });
  }

  /** True where what is written differs from the version that was saved. */
  get changed(): boolean {
    return !same(this.state.get().written, this.saved);
  }

  /** True where the server has everything that is written. */
  get safe(): boolean {
    return same(this.state.get().written, this.kept);
  }

  write(change: Partial<Written>): void {
    const written = { ...this.state.get().written, ...change };
    const { phase } = this.state.get();
    this.state.set({ written, ...(phase === "clean" || phase === "failing" ? { phase: "waiting" } : {}) });
    this.failures = 0;
    this.schedule(REST_MS);
  }

  /** Keep the draft now, for whoever is about to leave. */
  async flush(): Promise<void> {
    this.cancel();
    await this.busy;
    if (!same(this.state.get().written, this.kept)) await this.draft();
  }

  /** Make a version of what is written. Answers the document, or null where that failed and the state says why. */
  async save(): Promise<WholeDocument | null> {
    this.cancel();
    await this.busy;
    const { written, base } = this.state.get();
    this.state.set({ phase: "saving", problem: null });
    let result: WholeDocument | null = null;
    await this.alone(async () => {
      try {
        const { document } = await this.ports.save({ ...written, version: base });
        this.saved = { title: document.title, text: document.text };
        this.kept = this.saved;
        const more = !same(this.state.get().written, written);
        this.state.set({ base: document.version, drafted: null, current: null, phase: more ? "waiting" : "clean" });
        if (more) this.schedule(REST_MS);
        else this.state.set({ written: this.saved });
        result = document;
      } catch (error) {
        if (error instanceof ApiError && error.code === "version_conflict") {
          this.state.set({ phase: "conflict", current: currentIn(error) });
        } else this.state.set({ phase: "waiting", problem: sentence(error) });
        // What could not be saved is at least to be kept.
        this.schedule(REST_MS);
      }
    });
    return result;
  }

  /** Settle a conflict: write `written` on top of the version that is there now. */
  rebase(theirs: Written & { version: number }, written: Written): void {
    this.saved = { title: theirs.title, text: theirs.text };
    this.state.set({ written, base: theirs.version, current: null, phase: "waiting", problem: null });
    this.schedule(0);
  }

  /** Forget what was written since the last version. */
  async discard(): Promise<void> {
    this.cancel();
    await this.busy;
    await this.ports.discardDraft();
    this.kept = this.saved;
    this.state.set({ written: this.saved, phase: "clean", drafted: null, problem: null });
  }

  /** Stop; what is not kept yet is kept. */
  close(): void {
    this.closed = true;
    void this.flush();
  }

  private schedule(ms: number): void {
    this.cancel();
    if (!this.closed) this.timer = this.ports.setTimer(() => void this.flush(), ms);
  }

  private cancel(): void {
    if (this.timer !== null) this.ports.clearTimer(this.timer);
    this.timer = null;
  }

  private async draft(): Promise<void> {
    const { written, base, phase } = this.state.get();
    if (phase !== "conflict") this.state.set({ phase: "drafting" });
    await this.alone(async () => {
      try {
        const { draft } = await this.ports.saveDraft({ ...written, base_version: base });
        this.kept = written;
        this.failures = 0;
        const more = !same(this.state.get().written, written);
        const after = this.state.get().phase === "drafting" ? { phase: more ? ("waiting" as const) : ("clean" as const) } : {};
        this.state.set({ drafted: draft.saved_at, problem: null, ...after });
        if (more) this.schedule(REST_MS);
      } catch (error) {
        const after = this.state.get().phase === "drafting" ? { phase: "failing" as const } : {};
        this.state.set({ problem: sentence(error), ...after });
        const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)] ?? 0;
        this.failures += 1;
        // What the server refuses for good will not be accepted later either.
        if (!(error instanceof ApiError) || error.temporary) this.schedule(wait);
      }
    });
  }

  private async alone(work: () => Promise<void>): Promise<void> {
    this.busy = work().finally(() => {
      this.busy = null;
    });
    await this.busy;
  }
}

function same(one: Written, other: Written): boolean {
  return one.title === other.title && one.text === other.text;
}

function currentIn(error: ApiError): number | null {
  const found = error.details.find((item) => item.field === "version") as { current?: unknown } | undefined;
  return typeof found?.current === "number" ? found.current : null;
}
