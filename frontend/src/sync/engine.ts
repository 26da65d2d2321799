/**
 * Keeps every opened channel equal to the server's, whatever the network does. No React, no sockets, no fetch in here:
 * the ports bring them, so that every rule can be tested.
 */
import type { Hello, Message, MessageEvent, SyncAnswer } from "../api/types";
import { ChannelLog } from "./log";
import type { Ports } from "./ports";

const HOLD_MS = 1_000;
const JITTER_MS = 500;
const RETRY_MS = 1_000;
const RETRY_LONGEST_MS = 15_000;
/** Opened channels kept in memory; the longest unused goes first. */
const MOST_LOGS = 15;

export class SyncEngine {
  epoch: string | null = null;
  private readonly logs = new Map<string, ChannelLog>();
  private readonly loading = new Map<string, Promise<void>>();
  private readonly watched = new Set<string>();
  private syncing: Promise<void> | null = null;
  private again = false;
  private failures = 0;
  private timer: unknown = null;
  /** The timer's sync is due even if no gap is left by then. */
  private due = false;
  private refreshTimer: unknown = null;
  private stopped = false;

  constructor(private readonly ports: Ports) {}

  log(channelId: string): ChannelLog | undefined {
    return this.logs.get(channelId);
  }

  stop(): void {
    this.stopped = true;
    this.ports.clearTimer(this.timer);
    this.ports.clearTimer(this.refreshTimer);
  }

  /** Load a channel's newest page, once; its head is the first cursor. */
  open(channelId: string): Promise<void> {
    const log = this.logs.get(channelId) ?? new ChannelLog();
    this.logs.delete(channelId);
    this.logs.set(channelId, log);
    if (log.loaded) return Promise.resolve();
    const running = this.loading.get(channelId);
    if (running) return running;
    this.trim();
    const work = this.loadFirst(channelId, log).finally(() => {
      if (this.loading.get(channelId) === work) this.loading.delete(channelId);
    });
    this.loading.set(channelId, work);
    return work;
  }

  /** Keep a channel loaded while it is on screen, also when the server makes us start over. */
  watch(channelId: string): () => void {
    this.watched.add(channelId);
    return () => this.watched.delete(channelId);
  }

  /** Load the page before the window. Answer whether it brought anything. */
  async older(channelId: string): Promise<boolean> {
    const log = this.logs.get(channelId);
    if (!log?.loaded || !log.older) return false;
    const page = await this.ports.page(channelId, log.oldest);
    // A reset may have replaced the log meanwhile: the page belongs to a channel that is no more.
    if (this.logs.get(channelId) !== log) return false;
    log.extend(page);
    this.ports.changed(channelId, [], log.cursor);
    return page.messages.length > 0;
  }

  /** Take a message that an answer to our own call brought: it moves no cursor. */
  put(message: Message): void {
    const log = this.logs.get(message.channel_id);
    if (!log) return;
    log.put(message);
    this.ports.changed(message.channel_id, [], log.cursor);
  }

  event(event: MessageEvent): void {
    const log = this.logs.get(event.channel_id);
    if (!log) {
      this.unopened(event);
      return;
    }
    const fresh = log.take(event.seq, event.message);
    if (event.seq <= log.cursor) this.ports.changed(event.channel_id, fresh, log.cursor);
    if (log.behind) this.syncSoon();
  }

  heads(epoch: string, heads: Record<string, number>): void {
    if (this.otherEpoch(epoch)) return;
    for (const [channelId, head] of Object.entries(heads)) {
      const log = this.logs.get(channelId);
      if (log?.loaded) {
        log.promise(head);
        if (log.behind) this.syncSoon();
      } else if (!log && head > (this.ports.knownHead(channelId) ?? -1)) {
        this.refreshSoon();
      }
    }
  }

  /** A connection is ready: what happened while there was none? */
  async hello(hello: Pick<Hello, "epoch" | "heads">): Promise<void> {
    this.failures = 0;
    if (this.otherEpoch(hello.epoch)) return;
    await this.catchUp();
  }

  /** The instance was deaf for a while: catch up, spread so that not all its clients come at once. */
  resync(): void {
    this.ports.setTimer(() => {
      if (!this.stopped) void this.catchUp();
    }, this.ports.random() * 2 * HOLD_MS);
  }

  /** Ask for everything after the cursors now. Concurrent calls share the work. */
  sync(): Promise<void> {
    if (this.syncing) {
      this.again = true;
      return this.syncing;
    }
    this.syncing = this.syncLoop().finally(() => {
      this.syncing = null;
    });
    return this.syncing;
  }

  /** Forget a channel's messages, and load them again where they are on screen. */
  drop(channelId: string): void {
    this.forget(channelId);
    this.ports.changed(channelId, [], 0);
    this.reload(channelId);
  }

  forget(channelId: string): void {
    this.logs.delete(channelId);
    this.loading.delete(channelId);
  }

  /** Have the server count again soon: what is unread cannot be worked out here. */
  refreshSoon(): void {
    if (this.refreshTimer !== null || this.stopped) return;
    const ms = HOLD_MS + this.ports.random() * JITTER_MS;
    this.refreshTimer = this.ports.setTimer(() => {
      this.refreshTimer = null;
      void this.ports.refreshChannels().catch(() => undefined);
    }, ms);
  }

  /** Bring a channel that is on screen back, however long the server takes to answer. */
  private reload(channelId: string, attempt = 0): void {
    if (this.stopped || !this.watched.has(channelId)) return;
    this.open(channelId).catch(() => {
      this.ports.setTimer(() => this.reload(channelId, attempt + 1), this.delay(attempt));
    });
  }

  private trim(): void {
    for (const channelId of this.logs.keys()) {
      if (this.logs.size <= MOST_LOGS) return;
      if (!this.watched.has(channelId) && !this.loading.has(channelId)) this.forget(channelId);
    }
  }

  private async loadFirst(channelId: string, log: ChannelLog): Promise<void> {
    try {
      const page = await this.ports.page(channelId);
      if (this.logs.get(channelId) !== log) return;
      log.start(page);
    } catch (error) {
      if (this.logs.get(channelId) === log) this.logs.delete(channelId);
      throw error;
    }
    // The list counted up to the head it came with; what was posted since is in the page, and in no event that counts.
    const counted = this.ports.knownHead(channelId) ?? log.cursor;
    this.ports.changed(channelId, log.list().filter((one) => one.seq > counted), log.cursor);
    if (log.behind) this.syncSoon();
  }

  /** A change in a channel that was never opened only counts; out of order, the server must count for us. */
  private unopened(event: MessageEvent): void {
    const head = this.ports.knownHead(event.channel_id);
    if (head !== null && event.seq <= head) return;
    if (head === null || event.seq !== head + 1) {
      this.refreshSoon();
      return;
    }
    this.ports.changed(event.channel_id, event.message.seq === event.seq ? [event.message] : [], event.seq);
  }

  private otherEpoch(epoch: string): boolean {
    if (this.epoch === null) this.epoch = epoch;
    if (this.epoch === epoch) return false;
    this.epoch = epoch;
    const opened = [...this.logs.keys()];
    for (const channelId of opened) this.drop(channelId);
    void this.ports.refreshChannels().catch(() => undefined);
    return true;
  }

  private async catchUp(): Promise<void> {
    // Side by side: the list comes by HTTP from the page's own instance, which may hang while the socket is elsewhere already.
    void this.ports.refreshChannels().catch(() => this.refreshSoon());
    for (const channelId of this.watched) if (!this.logs.get(channelId)?.loaded) this.reload(channelId);
    await this.sync();
  }

  /** Sync after a while, if by then it is still needed. */
  private syncSoon(ms = HOLD_MS + this.ports.random() * JITTER_MS): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = this.ports.setTimer(() => {
      const needed = this.due || this.behind;
      this.timer = null;
      this.due = false;
      if (needed) void this.sync();
    }, ms);
  }

  private retryLater(): void {
    this.due = true;
    this.syncSoon(this.delay(this.failures));
    this.failures += 1;
  }

  private delay(failures: number): number {
    return Math.min(RETRY_LONGEST_MS, RETRY_MS * 2 ** failures) * (0.5 + this.ports.random());
  }

  private get behind(): boolean {
    return [...this.logs.values()].some((log) => log.behind);
  }

  private async syncLoop(): Promise<void> {
    do {
      this.again = false;
      const asked = new Map([...this.logs].filter(([, log]) => log.loaded));
      const cursors = Object.fromEntries([...asked].map(([channelId, log]) => [channelId, log.cursor]));
      try {
        const answer = await this.ports.sync(this.epoch === null ? { cursors } : { cursors, epoch: this.epoch });
        if (this.accept(answer, asked)) this.again = true;
      } catch {
        // Who asked meanwhile may know of a new connection, so that is tried at once.
        if (!this.again) this.retryLater();
      }
    } while (this.again && !this.stopped);
  }

  /** Take a sync's answer. Answer whether there is more to ask for at once. */
  private accept(answer: SyncAnswer, asked: ReadonlyMap<string, ChannelLog>): boolean {
    this.ports.clearTimer(this.timer);
    this.timer = null;
    this.due = false;
    if (this.otherEpoch(answer.epoch)) return false;
    for (const channelId of answer.gone) {
      this.forget(channelId);
      this.ports.gone(channelId);
    }
    for (const channelId of answer.reset) this.drop(channelId);
    let moved = false;
    const others = new Map(Object.entries(answer.heads));
    for (const [channelId, log] of asked) {
      // A channel that was loaded (again) meanwhile has another cursor, and this answer's changes are not all it lacks.
      if (this.logs.get(channelId) !== log) continue;
      if (this.applyChannel(channelId, log, answer)) moved = true;
      others.delete(channelId);
    }
    this.heads(answer.epoch, Object.fromEntries(others));
    const left = answer.more.length > 0 || this.behind;
    if (moved || !left) this.failures = 0;
    if (answer.more.length > 0 && moved) return true;
    if (left) this.retryLater();
    return false;
  }

  private applyChannel(channelId: string, log: ChannelLog, answer: SyncAnswer): boolean {
    const changes = answer.changes[channelId] ?? [];
    const last = changes.at(-1)?.changed_seq ?? log.cursor;
    const head = answer.heads[channelId] ?? log.cursor;
    const before = log.cursor;
    const more = answer.more.includes(channelId);
    const fresh = log.apply(changes, more ? last : Math.max(head, last));
    if (!more) log.keepPromise();
    if (log.cursor !== before || changes.length > 0) this.ports.changed(channelId, fresh, log.cursor);
    return log.cursor > before;
  }
}
