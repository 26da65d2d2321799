/** Says what was read: only what stood at the bottom of a visible page, and no more often than needed. */
import { countAfter } from "../sync/unread";
import type { Workspace } from "./workspace";

export class Reading {
  /** Channels that are on screen and scrolled to their end. */
  private readonly atEnd = new Set<string>();
  private readonly told = new Map<string, number>();

  constructor(private readonly workspace: Workspace) {}

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

  /** The mark moved, here or on another device of mine. */
  apply(channelId: string, seq: number): void {
    const channel = this.workspace.channel(channelId);
    if (!channel) return;
    const list = this.workspace.engine.log(channelId)?.list();
    const unread = list ? Math.min(channel.unread, countAfter(list, seq, this.workspace.state.get().me.id)) : 0;
    if (list === undefined && seq < channel.head) {
      void this.workspace.refreshChannels().catch(() => undefined);
      return;
    }
    const mentions = unread === 0 ? 0 : channel.mentions;
    if (unread !== channel.unread || mentions !== channel.mentions) {
      this.workspace.putChannel({ id: channelId, unread, mentions });
    }
  }

  private async tell(channelId: string, seq: number): Promise<void> {
    const before = this.told.get(channelId) ?? 0;
    this.told.set(channelId, Math.max(before, seq));
    try {
      await this.workspace.connection.ask("channel:read", { channel_id: channelId, seq });
    } catch {
      // After the next connection the channels' counts come anew, and with them another try.
      this.told.set(channelId, before);
    }
  }
}
