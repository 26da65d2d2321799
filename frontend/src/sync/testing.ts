/** What the tests of the sync rules share: messages by number, and a world whose time they move. */
import type { Message, MessagePage, SyncAnswer, SyncRequest } from "../api/types";
import { SyncEngine } from "./engine";

export function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${change.seq ?? seq}`,
    channel_id: "c",
    seq,
    changed_seq: seq,
    author_id: "bob",
    text: `text ${seq}`,
    client_id: null,
    thread_id: null,
    reactions: {},
    created_at: "2026-01-02T03:04:05.678Z",
    edited_at: null,
    deleted_at: null,
    ...change,
  };
}

export function page(seqs: number[], head: number, more = false): MessagePage {
  return { messages: seqs.map((seq) => message(seq)).reverse(), head, more };
}

export function answer(change: Partial<SyncAnswer> = {}): SyncAnswer {
  return { epoch: "e1", heads: {}, changes: {}, more: [], reset: [], gone: [], ...change };
}

/** Let everything that waits for a resolved promise run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export class World {
  readonly requests: SyncRequest[] = [];
  readonly answers: (SyncAnswer | Error)[] = [];
  readonly pages: MessagePage[] = [];
  readonly fresh: number[] = [];
  readonly gone: string[] = [];
  readonly heads = new Map<string, number>();
  refreshes = 0;
  pageCalls = 0;
  refreshFails = false;
  private timers: { id: number; at: number; run: () => void }[] = [];
  private now = 0;
  private nextId = 1;

  readonly engine = new SyncEngine({
    sync: (request) => {
      this.requests.push(request);
      const next = this.answers.shift() ?? answer();
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    page: () => {
      this.pageCalls += 1;
      const next = this.pages.shift();
      return next ? Promise.resolve(next) : Promise.reject(new Error("no page"));
    },
    refreshChannels: () => {
      this.refreshes += 1;
      return this.refreshFails ? Promise.reject(new Error("away")) : Promise.resolve();
    },
    changed: (channelId, fresh, head) => {
      this.fresh.push(...fresh.map((one) => one.seq));
      this.heads.set(channelId, Math.max(head, this.heads.get(channelId) ?? 0));
    },
    gone: (channelId) => this.gone.push(channelId),
    knownHead: (channelId) => this.heads.get(channelId) ?? null,
    setTimer: (run, ms) => {
      this.timers.push({ id: this.nextId, at: this.now + ms, run });
      this.nextId += 1;
      return this.nextId - 1;
    },
    clearTimer: (id) => {
      this.timers = this.timers.filter((timer) => timer.id !== id);
    },
    random: () => 0.5,
  });

  /** Milliseconds until each timer that is set. */
  get waits(): number[] {
    return this.timers.map((timer) => timer.at - this.now);
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.timers.filter((timer) => timer.at <= this.now);
    this.timers = this.timers.filter((timer) => timer.at > this.now);
    for (const timer of due) timer.run();
    await settle();
  }

  /** A world with channel `c` opened, holding messages 1 to `head`. */
  static async opened(head: number): Promise<World> {
    const world = new World();
    world.pages.push(page(Array.from({ length: head }, (_, at) => at + 1), head));
    await world.engine.open("c");
    world.engine.epoch = "e1";
    return world;
  }

  arrive(seq: number, change: Partial<Message> = {}): void {
    const body = message(seq, change);
    this.engine.event({ channel_id: "c", seq, message: { ...body, changed_seq: seq } });
  }

  texts(): string[] {
    return (this.engine.log("c")?.list() ?? []).map((one) => one.text);
  }

  cursor(): number | undefined {
    return this.engine.log("c")?.cursor;
  }
}
