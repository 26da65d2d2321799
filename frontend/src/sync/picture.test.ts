/** Whatever the network does with events, a client ends with the server's picture: tried with random histories. */
import { expect, test } from "vitest";
import type { Message, MessagePage, SyncAnswer, SyncRequest } from "../api/types";
import { SyncEngine } from "./engine";
import { message, settle } from "./testing";

/** A small generator with a seed, so that a history that fails can be run again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** One channel as the server keeps it: every change takes the next number. */
class Server {
  head = 0;
  epoch = "e1";
  readonly rows = new Map<string, Message>();

  constructor(private readonly random: () => number) {}

  change(): Message {
    this.head += 1;
    const old = [...this.rows.values()][Math.floor(this.random() * this.rows.size * 2)];
    const next: Message = old
      ? { ...old, changed_seq: this.head, text: `changed at ${this.head}` }
      : message(this.head, { text: `posted at ${this.head}` });
    this.rows.set(next.id, next);
    return next;
  }

  page(before = Infinity): MessagePage {
    const rows = [...this.rows.values()].filter((one) => one.seq < before).sort((a, b) => b.seq - a.seq);
    return { messages: rows.slice(0, 10), head: this.head, more: rows.length > 10 };
  }

  sync({ cursors }: SyncRequest): SyncAnswer {
    const answer: SyncAnswer = { epoch: this.epoch, heads: { c: this.head }, changes: {}, more: [], reset: [], gone: [] };
    const cursor = cursors.c;
    if (cursor === undefined) return answer;
    if (cursor > this.head) return { ...answer, reset: ["c"] };
    const rows = [...this.rows.values()].filter((one) => one.changed_seq > cursor).sort((a, b) => a.changed_seq - b.changed_seq);
    return { ...answer, changes: { c: rows.slice(0, 7) }, more: rows.length > 7 ? ["c"] : [] };
  }

  /** Go back to an earlier state, as a restored backup does. */
  restore(): void {
    const kept = [...this.rows.values()].filter((one) => one.changed_seq <= this.head / 2);
    this.rows.clear();
    for (const one of kept) this.rows.set(one.id, one);
    this.head = Math.max(0, ...kept.map((one) => one.changed_seq));
    this.epoch += "'";
  }
}

/** What is under way, and what becomes of it when the connection breaks. */
interface Flight {
  land: () => void;
  cut?: () => void;
}

/** A client and a network in between that loses, doubles, delays and shuffles. */
class Tale {
  readonly server: Server;
  readonly cursors: number[] = [];
  readonly engine: SyncEngine;
  private flying: Flight[] = [];
  private timers: { run: () => void; at: number; id: object }[] = [];
  private now = 0;
  calm = false;

  constructor(readonly random: () => number) {
    this.server = new Server(random);
    this.engine = new SyncEngine({
      sync: (request) => this.carry(() => this.server.sync(request)),
      page: (_, before) => this.carry(() => this.server.page(before)),
      refreshChannels: () => Promise.resolve(),
      changed: () => this.cursors.push(this.engine.log("c")?.cursor ?? 0),
      gone: () => undefined,
      knownHead: () => null,
      setTimer: (run, ms) => {
        const id = {};
        this.timers.push({ run, at: this.now + ms, id });
        return id;
      },
      clearTimer: (id) => {
        this.timers = this.timers.filter((timer) => timer.id !== id);
      },
      random,
    });
    this.engine.watch("c");
  }

  /** The server answers now, the answer arrives some time later, or is lost. */
  private carry<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const cut = () => reject(new Error("lost"));
      const lost = !this.calm && this.random() < 0.15;
      const answer = work();
      this.flying.push({ land: lost ? cut : () => resolve(answer), cut });
    });
  }

  publish(change: Message): void {
    const event = { channel_id: "c", seq: change.changed_seq, message: change };
    for (let copies = Math.floor(this.random() * 3); copies > 0; copies -= 1) {
      this.flying.push({ land: () => this.engine.event(event) });
    }
  }

  async land(): Promise<void> {
    const [next] = this.flying.splice(Math.floor(this.random() * this.flying.length), 1);
    next?.land();
    await settle();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.timers.filter((timer) => timer.at <= this.now);
    this.timers = this.timers.filter((timer) => timer.at > this.now);
    for (const timer of due) timer.run();
    await settle();
  }

  async step(): Promise<void> {
    const roll = this.random();
    if (roll < 0.4) this.publish(this.server.change());
    else if (roll < 0.75) await this.land();
    else if (roll < 0.85) await this.pass(this.random() * 1_500);
    else if (roll < 0.9) this.tellHeads();
    else if (roll < 0.93) void this.engine.hello({ epoch: this.server.epoch, heads: {} });
    else if (roll < 0.96) this.engine.resync();
    else void this.engine.older("c").catch(() => undefined);
  }

  tellHeads(): void {
    const { epoch, head } = this.server;
    this.flying.push({ land: () => this.engine.heads(epoch, { c: head }) });
  }

  /** The server is stopped, restored and started: every connection breaks, and the next begins with a hello. */
  async restore(): Promise<void> {
    const { flying } = this;
    this.flying = [];
    for (const one of flying) one.cut?.();
    await settle();
    this.server.restore();
    void this.engine.hello({ epoch: this.server.epoch, heads: {} });
  }

  /** Let all that is under way arrive, and time pass until nothing is left to do. */
  async rest(): Promise<void> {
    this.calm = true;
    this.tellHeads();
    for (let turn = 0; turn < 400 && (this.flying.length > 0 || this.timers.length > 0); turn += 1) {
      while (this.flying.length > 0) await this.land();
      await this.pass(30_000);
    }
    while (this.engine.log("c")?.older) {
      const page = this.engine.older("c");
      await this.land();
      await page;
    }
  }
}

async function told(seed: number, steps: number): Promise<Tale> {
  const tale = new Tale(dice(seed));
  for (let post = 0; post < 25; post += 1) tale.server.change();
  void tale.engine.open("c").catch(() => undefined);
  for (let step = 0; step < steps; step += 1) await tale.step();
  return tale;
}

function expectPicture(tale: Tale, seed: number): void {
  const held = new Map(tale.engine.log("c")?.list().map((one) => [one.id, one]));
  expect([...held.values()].sort((a, b) => a.seq - b.seq), `seed ${seed}`).toEqual(
    [...tale.server.rows.values()].sort((a, b) => a.seq - b.seq),
  );
  expect(tale.engine.log("c")?.cursor, `seed ${seed}`).toBe(tale.server.head);
}

test("events that are lost, doubled, delayed and shuffled, among syncs that fail, end in the server's picture", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const tale = await told(seed, 120);
    await tale.rest();
    expectPicture(tale, seed);
    expect(tale.cursors, `seed ${seed}`).toEqual([...tale.cursors].sort((a, b) => a - b));
  }
});

test("a server that was restored from a backup ends in its picture too, and not in the one from before", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const tale = await told(seed, 60);
    await tale.restore();
    for (let step = 0; step < 40; step += 1) await tale.step();
    await tale.rest();
    expectPicture(tale, seed);
  }
});
