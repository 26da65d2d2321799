/** Says what was read: only what stood at the bottom of a visible page, and no more often than needed. */
import type { Channel } from "../api/types";
import type { SyncEngine } from "../sync/engine";
import { countAfter } from "../sync/unread";
import { AckError, type Connection } from "./socket";
import type { Workspace } from "./workspace";

const AGAIN = new Set(["timeout", "unavailable", "rate_limited"]);
const AGAIN_MS = 3_000;

/** What reading needs of the workspace. */
export interface Room extends Pick<Workspace, "channel" | "putChannel"> {
  engine: Pick<SyncEngine, "log" | "refreshSoon">;
  connection: Pick<Connection, "ask">;
  state: { get: () => { me: { id: string } } };
}

export class Reading {
  /** Channels that are on screen and scrolled to their end. */
  private readonly atEnd = new Set<string>();
  private readonly told = new Map<string, number>();

  constructor(private readonly workspace: Room) {}

  setAtEnd(channelId: string, atEnd: boolean): void {
    if (atEnd) this.atEnd.add(channelId);
    else this.atEnd.delete(channelId);
    if (atEnd) this.consider(channelId);
  }

  considerAll(): void {
    for (const channelId of this.atEnd) this.consider(channelId);
  }

  /** Mark a channel read where its newest message is before somebody's eyes. */
  consider(channelId: string): void {
    if (!this.atEnd.has(channelId) || document.visibilityState !== "visible") return;
    const channel = this.workspace.channel(channelId);
    const log = this.workspace.engine.log(channelId);
    const newest = log?.list().at(-1)?.seq;
    if (!channel || !log?.loaded || newest === undefined) return;
    if (channel.unread > 0 || channel.mentions > 0) this.apply(channelId, newest);
    else if (newest <= (this.told.get(channelId) ?? 0)) return;
    void this.tell(channelId, newest);
  }

  /** True where a message was read here: its channel stood at its end before somebody's eyes. */
  seen(channelId: string, seq: number): boolean {
    return seq <= (this.told.get(channelId) ?? 0);
  }

  /** The mark moved, here or on another device of mine. */
  apply(channelId: string, seq: number): void {
    const channel = this.workspace.channel(channelId);
    if (!channel) return;
    const unread = this.left(channel, seq);
    if (unread === null) {
      this.workspace.engine.refreshSoon();
      return;
    }
    const mentions = unread === 0 ? 0 : channel.mentions;
    if (unread !== channel.unread || mentions !== channel.mentions) {
      this.workspace.putChannel({ id: channelId, unread, mentions });
    }
  }

  /** A count of the server's may be older than what was read here since it was made. */
  correct(channel: Channel): Channel {
    const seq = this.told.get(channel.id) ?? 0;
    if (seq <= (channel.read_seq ?? 0)) return channel;
    const unread = this.left(channel, seq) ?? channel.unread;
    return { ...channel, unread, mentions: unread === 0 ? 0 : channel.mentions };
  }

  /** How much is unread after a mark; null where the loaded messages do not tell. */
  private left(channel: Channel, seq: number): number | null {
    if (seq >= channel.head) return 0;
    const log = this.workspace.engine.log(channel.id);
    if (!log?.loaded || seq + 1 < log.oldest) return null;
    return Math.min(channel.unread, countAfter(log.list(), seq, this.workspace.state.get().me.id));
  }

  private async tell(channelId: string, seq: number): Promise<void> {
    const before = this.told.get(channelId) ?? 0;
    this.told.set(channelId, Math.max(before, seq));
    try {
      await this.workspace.connection.ask("channel:read", { channel_id: channelId, seq });
    } catch (error) {
      // Without a connection the next one brings the counts anew; where the server was only late, ask once more.
      this.told.set(channelId, before);
      if (error instanceof AckError && AGAIN.has(error.code)) setTimeout(() => this.consider(channelId), AGAIN_MS);
    }
  }
}
