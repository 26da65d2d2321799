/** Messages on their way: kept until the server has them, in order within a channel, also over a reload of the page. */
import { ApiError } from "../api/errors";
import type { Message } from "../api/types";

export interface Outgoing {
  client_id: string;
  channel_id: string;
  text: string;
  thread_id: string | null;
  created_at: string;
  state: "pending" | "failed";
  reason: string | null;
}

export interface OutboxPorts {
  /** Bring one message to the server; the same client_id twice makes one message. Raises ApiError. */
  send: (item: Outgoing) => Promise<Message>;
  sent: (message: Message) => void;
  changed: (items: readonly Outgoing[]) => void;
  /** Where messages outlive the page: one entry each, so that two tabs do not overwrite each other's. */
  shelf: { all: () => string[]; put: (clientId: string, content: string) => void; remove: (clientId: string) => void };
  pause: (ms: number) => Promise<void>;
  now: () => number;
}

/** Waits between attempts; after the last the person decides. */
const WAITS_MS = [500, 1_000, 2_000];
/** A message that was on its way longer ago than this is not sent without asking: its moment may have passed. */
const STALE_MS = 5 * 60_000;

export class Outbox {
  private items: Outgoing[] = [];
  private readonly busy = new Set<string>();

  constructor(private readonly ports: OutboxPorts) {}

  /** Take up what the last page left behind. */
  restore(): void {
    this.items = parse(this.ports.shelf.all()).map((item) => {
      const stale = this.ports.now() - Date.parse(item.created_at) > STALE_MS;
      return item.state === "pending" && stale ? { ...item, state: "failed", reason: "The page was closed." } : item;
    });
    this.ports.changed(this.items);
    for (const channelId of new Set(this.items.map((item) => item.channel_id))) void this.run(channelId);
  }

  add(item: Pick<Outgoing, "client_id" | "channel_id" | "text" | "thread_id">): void {
    const created_at = new Date(this.ports.now()).toISOString();
    const added: Outgoing = { ...item, created_at, state: "pending", reason: null };
    this.ports.shelf.put(added.client_id, JSON.stringify(added));
    this.update([...this.items, added]);
    void this.run(item.channel_id);
  }

  /** Try a failed message again, under the same client_id: if it did arrive, nothing doubles. */
  retry(clientId: string): void {
    const item = this.items.find((one) => one.client_id === clientId);
    if (item?.state !== "failed") return;
    this.replace(clientId, { state: "pending", reason: null });
    void this.run(item.channel_id);
  }

  discard(clientId: string): void {
    this.ports.shelf.remove(clientId);
    this.update(this.items.filter((item) => item.client_id !== clientId));
  }

  /** A message of mine was seen, by event or answer: what waited for it is done. */
  seen(message: Message): void {
    const item = this.items.find((one) => matches(one, message));
    if (item) this.discard(item.client_id);
  }

  private async run(channelId: string): Promise<void> {
    if (this.busy.has(channelId)) return;
    this.busy.add(channelId);
    try {
      for (let next = this.nextOf(channelId); next; next = this.nextOf(channelId)) await this.deliver(next);
    } finally {
      this.busy.delete(channelId);
    }
  }

  private nextOf(channelId: string): Outgoing | undefined {
    return this.items.find((item) => item.channel_id === channelId && item.state === "pending");
  }

  private async deliver(item: Outgoing): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const message = await this.ports.send(item);
        this.ports.sent(message);
        this.discard(item.client_id);
        return;
      } catch (error) {
        if (!this.items.some((one) => one.client_id === item.client_id)) return;
        const wait = WAITS_MS[attempt];
        const temporary = error instanceof ApiError && error.temporary;
        if (!temporary || wait === undefined) {
          const reason = error instanceof Error ? error.message : "It could not be sent.";
          this.replace(item.client_id, { state: "failed", reason });
          return;
        }
        await this.ports.pause(Math.max(wait, (error.retryAfter ?? 0) * 1000));
      }
    }
  }

  private replace(clientId: string, change: Pick<Outgoing, "state" | "reason">): void {
    const items = this.items.map((item) => (item.client_id === clientId ? { ...item, ...change } : item));
    const changed = items.find((item) => item.client_id === clientId);
    if (changed) this.ports.shelf.put(clientId, JSON.stringify(changed));
    this.update(items);
  }

  private update(items: Outgoing[]): void {
    this.items = items;
    this.ports.changed(items);
  }
}

function matches(item: Outgoing, message: Message): boolean {
  return item.client_id === message.client_id && item.channel_id === message.channel_id;
}

function parse(contents: string[]): Outgoing[] {
  const items = contents.flatMap((content) => {
    try {
      const row: unknown = JSON.parse(content);
      return isOutgoing(row) ? [row] : [];
    } catch {
      return [];
    }
  });
  return items.sort((a, b) => a.created_at.localeCompare(b.created_at));
}

function isOutgoing(row: unknown): row is Outgoing {
  if (typeof row !== "object" || row === null) return false;
  const item = row as Record<string, unknown>;
  return ["client_id", "channel_id", "text", "created_at", "state"].every((key) => typeof item[key] === "string");
}
