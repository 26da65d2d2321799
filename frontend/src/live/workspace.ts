/** One signed-in person's workspace: joins the API, the live connection, the sync engine and the outbox. */
import * as api from "../api/api";
import { assistant } from "../api/assistant";
import { ApiError } from "../api/errors";
import type { Channel, Job, Me, Message, Person } from "../api/types";
import { SyncEngine } from "../sync/engine";
import { Outbox, type Outgoing } from "../sync/outbox";
import { parseInstances } from "../sync/backoff";
import { counted, countedSince, type News } from "../sync/counts";
import { oneAtATime } from "../sync/shared";
import { Answers } from "./answers";
import { Documents } from "./documents";
import { Exports } from "./exports";
import { handlersFor } from "./handlers";
import { newClientId } from "./ids";
import { NoticeBox } from "./notices";
import { Reading } from "./reading";
import { shelfFor } from "./shelf";
import { Connection } from "./socket";
import { byName, initialState, withChannel, type WorkspaceState } from "./state";
import { Store } from "./store";
import { deliver, syncBySocket } from "./transport";
import { Uploads } from "./uploads";
import { watchWaking } from "./waking";

export class Workspace {
  readonly state: Store<WorkspaceState>;
  readonly engine: SyncEngine;
  readonly outbox: Outbox;
  readonly connection: Connection;
  readonly reading: Reading;
  readonly exports: Exports;
  readonly notices: NoticeBox;
  readonly answers: Answers;
  readonly documents: Documents;
  readonly uploads = new Uploads();
  /** Who left while there was no connection is not told: the next connection's presence starts from nobody. */
  presenceStale = false;
  /** Followers of each channel's messages, so that one message does not redraw the whole page. */
  private readonly followers = new Map<string, Set<() => void>>();
  private readonly versions = new Map<string, number>();
  private unwatch: () => void = () => undefined;
  /** What came since the channels were asked for; null while no answer is awaited. */
  private news: News[] | null = null;

  constructor(me: Me, private readonly ended: () => void) {
    this.state = new Store(initialState(me));
    this.connection = new Connection({
      instances: parseInstances(document.querySelector('meta[name="dashify-instances"]')?.getAttribute("content") ?? null, location),
      handlers: handlersFor(this),
      status: (connected) => {
        if (!connected) this.presenceStale = true;
        this.state.set({ connected });
      },
      sessionLives,
      ended,
    });
    this.engine = new SyncEngine({
      sync: (request) => syncBySocket(this.connection, request),
      page: (channelId, before) => api.messages.page(channelId, before),
      refreshChannels: () => this.refreshChannels(),
      changed: (channelId, fresh, head) => this.changed(channelId, fresh, head),
      gone: (channelId) => this.removeChannel(channelId),
      knownHead: (channelId) => this.channel(channelId)?.head ?? null,
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as number),
      random: Math.random,
    });
    this.outbox = new Outbox({
      send: (item) => deliver(this.connection, item),
      sent: (message) => this.engine.put(message),
      changed: (outbox) => this.state.set({ outbox }),
      shelf: shelfFor(me.id),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      now: Date.now,
    });
    this.reading = new Reading(this);
    this.exports = new Exports(this);
    this.notices = new NoticeBox({
      get: () => this.state.get().notices,
      set: (notices) => this.state.set({ notices }),
      page: (cursor, limit) => api.notices.page(cursor, limit),
      read: (which) => api.notices.read(which),
      seen: (channelId, seq) => this.reading.seen(channelId, seq),
      now: () => new Date().toISOString(),
    });
    this.documents = new Documents(this.state);
    this.answers = new Answers({
      get: (id, after) => assistant.answer(id, after),
      connected: () => this.connection.connected,
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as number),
    });
  }

  start(): void {
    this.connection.start();
    this.outbox.restore();
    this.unwatch = watchWaking(this);
    void this.refreshChannels().catch(() => undefined);
    void this.refreshPeople().catch(() => undefined);
    void this.notices.refresh().catch(() => undefined);
  }

  stop(): void {
    this.unwatch();
    this.exports.stop();
    this.notices.stop();
    this.answers.stop();
    this.uploads.stop();
    this.engine.stop();
    this.connection.stop();
  }

  end(): void {
    this.stop();
    this.ended();
  }

  channel(id: string): Channel | undefined {
    return this.state.get().channels?.find((channel) => channel.id === id);
  }

  /** Fetch the channels with their counts, and add what came while the answer was on its way. */
  readonly refreshChannels = oneAtATime(async () => {
    const news: News[] = [];
    this.news = news;
    const list = await api.channels.list().finally(() => {
      if (this.news === news) this.news = null;
    });
    const channels = countedSince(list, news, this.state.get().me).map((channel) => this.reading.correct(channel));
    this.state.set({ channels: byName(channels) });
    this.reading.considerAll();
  });

  async refreshPeople(): Promise<void> {
    const list = await api.people.list();
    const presence = { ...this.state.get().presence };
    for (const person of list) if (person.presence) presence[person.id] = person.presence;
    this.state.set({ people: Object.fromEntries(list.map((person) => [person.id, person])), presence });
  }

  putPerson(person: Person): void {
    this.state.set({ people: { ...this.state.get().people, [person.id]: person } });
  }

  putChannel(channel: Partial<Channel> & { id: string }): void {
    this.state.set({ channels: withChannel(this.state.get().channels ?? [], channel) });
  }

  removeChannel(id: string): void {
    this.engine.forget(id);
    this.state.set({ channels: (this.state.get().channels ?? []).filter((channel) => channel.id !== id) });
    this.notify(id);
  }

  /** Load a channel's messages; what goes wrong is shown in its place. */
  async open(channelId: string): Promise<void> {
    try {
      await this.engine.open(channelId);
      this.setBroken(channelId, null);
    } catch (error) {
      this.setBroken(channelId, error instanceof ApiError ? error.message : "The messages could not be loaded.");
    }
  }

  send(channelId: string, text: string, threadId: string | null): void {
    this.outbox.add({ client_id: newClientId(), channel_id: channelId, text, thread_id: threadId });
  }

  follow(channelId: string, listener: () => void): () => void {
    const set = this.followers.get(channelId) ?? new Set();
    this.followers.set(channelId, set.add(listener));
    return () => set.delete(listener);
  }

  version(channelId: string): number {
    return this.versions.get(channelId) ?? 0;
  }

  job(job: Job): void {
    this.exports.take(job);
  }

  private setBroken(channelId: string, reason: string | null): void {
    const others = Object.entries(this.state.get().broken).filter(([id]) => id !== channelId);
    this.state.set({ broken: Object.fromEntries(reason ? [...others, [channelId, reason]] : others) });
  }

  private notify(channelId: string): void {
    this.versions.set(channelId, this.version(channelId) + 1);
    for (const listener of [...(this.followers.get(channelId) ?? [])]) listener();
  }

  private changed(channelId: string, fresh: Message[], head: number): void {
    this.settle(channelId);
    this.count({ channelId, fresh, head });
    this.notify(channelId);
    this.reading.consider(channelId);
  }

  /** Whatever waits in the outbox and stands in the channel already did arrive. */
  private settle(channelId: string): void {
    const { outbox, me } = this.state.get();
    if (!outbox.some((item) => item.channel_id === channelId)) return;
    for (const message of this.engine.log(channelId)?.list() ?? []) {
      if (message.author_id === me.id) this.outbox.seen(message);
    }
  }

  private count(news: News): void {
    this.news?.push(news);
    const channel = this.channel(news.channelId);
    if (!channel) return;
    const after = counted(channel, news, this.state.get().me);
    if (after !== channel) this.putChannel(after);
  }
}

/** False only when the server says so: while it cannot answer, the session is presumed alive. */
async function sessionLives(): Promise<boolean> {
  try {
    await api.me.get({ anonymous: true, retries: 0, timeoutMs: 3_000 });
    return true;
  } catch (error) {
    return !(error instanceof ApiError && error.status === 401);
  }
}

export type { Outgoing };
