/**
 * The assistant's answers that this page shows: fed by the socket, and by asking wherever that left something out.
 *
 * The socket only makes it fast: a gap, a lost connection, an end that was not told are all made good by asking for what
 * follows the last piece that is here.
 */
import type { Answer, AnswerStatus, Citation, Rating, Token } from "../api/assistant";
import { ApiError, sentence } from "../api/errors";
import { Assembler } from "../assistant/assemble";
import { Store } from "./store";

export interface AnswerView {
  id: string;
  question: string;
  status: AnswerStatus;
  text: string;
  /** Its place in the line, from 1; null where that is not known. */
  position: number | null;
  citations: Citation[];
  rating: Rating | null;
  error: { code: string; message: string } | null;
  /** Why it cannot be shown as it stands now. */
  problem: string | null;
}

export interface AnswerPorts {
  get: (id: string, after: number | null) => Promise<{ answer: Answer }>;
  connected: () => boolean;
  setTimer: (run: () => void, ms: number) => unknown;
  clearTimer: (timer: unknown) => void;
}

interface Followed {
  assembler: Assembler;
  timer: unknown;
  asking: boolean;
  again: boolean;
  /** Told to have ended; its sources are still to be asked for. */
  ended: boolean;
  failures: number;
}

const ENDED: ReadonlySet<AnswerStatus> = new Set(["done", "failed", "stopped"]);
const GAP_MS = 300;
const OFFLINE_MS = 1_500;
const ONLINE_MS = 5_000;
const LONGEST_MS = 15_000;

export class Answers {
  readonly state = new Store<Record<string, AnswerView>>({});
  private readonly followed = new Map<string, Followed>();
  private stopped = false;

  constructor(private readonly ports: AnswerPorts) {}

  /** Show an answer that was just asked for. */
  asked(id: string, question: string): void {
    this.show(id, { ...blank(id), question });
    this.follow(id);
  }

  /** Take an answer as a list of the server's has it, and follow it until it ends. */
  take(answer: Answer): void {
    // Pieces that came by the socket are further than a list that was read before them.
    if (this.followed.has(answer.id)) return;
    const known = this.view(answer.id);
    if (known && ended(known.status) && !ended(answer.status)) return;
    this.show(answer.id, viewOf(answer, answer.text));
    if (!ended(answer.status)) this.follow(answer.id);
  }

  /** Read an answer anew, for whoever opens it. */
  open(id: string): void {
    if (!this.followed.has(id)) this.follow(id);
  }

  token({ answer_id, index, text }: Token & { answer_id: string }): void {
    const followed = this.followed.get(answer_id);
    if (!followed) return;
    if (followed.assembler.put({ index, text })) {
      this.show(answer_id, { status: "running", position: null, text: followed.assembler.text, problem: null });
    }
    this.wait(answer_id, followed.assembler.gap ? GAP_MS : ONLINE_MS);
  }

  position(id: string, position: number): void {
    const view = this.view(id);
    if (view && this.followed.has(id) && view.text === "") this.show(id, { position });
  }

  /** It ended: its whole text and its sources are asked for. */
  done(id: string): void {
    const followed = this.followed.get(id);
    if (!followed) return;
    followed.ended = true;
    void this.ask(id);
  }

  /** Ask for what was missed, after a connection came back or was deaf. */
  resume(): void {
    for (const id of this.followed.keys()) void this.ask(id);
  }

  rated(id: string, rating: Rating | null): void {
    this.show(id, { rating });
  }

  stop(): void {
    this.stopped = true;
    for (const followed of this.followed.values()) this.cancel(followed);
  }

  private view(id: string): AnswerView | undefined {
    return this.state.get()[id];
  }

  private show(id: string, change: Partial<AnswerView>): void {
    this.state.set({ [id]: { ...(this.view(id) ?? blank(id)), ...change } });
  }

  private follow(id: string): void {
    this.followed.set(id, { assembler: new Assembler(), timer: null, asking: false, again: false, ended: false, failures: 0 });
    void this.ask(id);
  }

  private async ask(id: string): Promise<void> {
    const followed = this.followed.get(id);
    if (!followed || this.stopped) return;
    this.cancel(followed);
    if (followed.asking) {
      followed.again = true;
      return;
    }
    followed.asking = true;
    followed.again = false;
    try {
      const { answer } = await this.ports.get(id, followed.assembler.last);
      followed.failures = 0;
      this.answered(id, followed, answer);
    } catch (error) {
      this.failed(id, followed, error);
    } finally {
      followed.asking = false;
    }
    if (followed.again) void this.ask(id);
  }

  private answered(id: string, followed: Followed, answer: Answer): void {
    for (const token of answer.tokens ?? []) followed.assembler.put(token);
    if (ended(answer.status)) {
      this.followed.delete(id);
      this.show(id, viewOf(answer, answer.text));
      return;
    }
    this.show(id, viewOf(answer, followed.assembler.text));
    const wait = followed.assembler.gap || followed.ended ? GAP_MS : this.ports.connected() ? ONLINE_MS : OFFLINE_MS;
    this.wait(id, wait);
  }

  private failed(id: string, followed: Followed, error: unknown): void {
    this.show(id, { problem: sentence(error) });
    if (error instanceof ApiError && !error.temporary) {
      this.followed.delete(id);
      return;
    }
    followed.failures += 1;
    this.wait(id, Math.min(LONGEST_MS, OFFLINE_MS * 2 ** (followed.failures - 1)));
  }

  private wait(id: string, ms: number): void {
    const followed = this.followed.get(id);
    if (!followed || this.stopped) return;
    this.cancel(followed);
    followed.timer = this.ports.setTimer(() => void this.ask(id), ms);
  }

  private cancel(followed: Followed): void {
    if (followed.timer !== null) this.ports.clearTimer(followed.timer);
    followed.timer = null;
  }
}

export function ended(status: AnswerStatus): boolean {
  return ENDED.has(status);
}

function blank(id: string): AnswerView {
  return {
    id, question: "", status: "queued", text: "", position: null, citations: [], rating: null, error: null, problem: null,
  };
}

function viewOf(answer: Answer, text: string): AnswerView {
  return {
    id: answer.id,
    question: answer.question,
    status: answer.status,
    text,
    position: answer.position ?? null,
    citations: answer.citations,
    rating: answer.rating,
    error: answer.error ?? null,
    problem: null,
  };
}
