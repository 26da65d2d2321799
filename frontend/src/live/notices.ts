/** My notifications: fetched, kept current by events, and marked as read here and on my other devices. */
import type { Notice, NoticePage } from "../api/types";
import { extend, overlay, pageSize, type Pages } from "../sync/paging";
import { oneAtATime } from "../sync/shared";

export interface Notices extends Pages<Notice> {
  unread: number;
  /** False until the first list arrived. */
  loaded: boolean;
  /** The newest that came while somebody might hear of it. */
  heard: Notice | null;
}

export const NO_NOTICES: Notices = { rows: [], next: null, unread: 0, loaded: false, heard: null };

export interface NoticePorts {
  get: () => Notices;
  set: (notices: Notices) => void;
  page: (cursor: string | null, limit: number) => Promise<NoticePage>;
  read: (which: { ids: string[] } | { all: true }) => Promise<{ unread: number }>;
  /** The message is before somebody's eyes, here and now. */
  seen: (channelId: string, seq: number) => boolean;
  now: () => string;
}

type Event = (notices: Notices) => Notices;

export const USUAL = 30;
/** The server counts no further. */
const MOST_UNREAD = 1_000;
const RESYNC_SPREAD_MS = 2_000;

export class NoticeBox {
  /** What came since an answer was asked for: it may have been made before that. Null while none is awaited. */
  private meanwhile: Event[] | null = null;
  private stopped = false;

  constructor(private readonly ports: NoticePorts) {}

  readonly refresh = oneAtATime(() => this.fetch());

  /** Fetch again soon, spread so that not all clients of an instance come at once. */
  refreshSoon(): void {
    setTimeout(() => {
      if (!this.stopped) void this.refresh().catch(() => undefined);
    }, Math.random() * RESYNC_SPREAD_MS);
  }

  stop(): void {
    this.stopped = true;
  }

  /** A notification came. One of a message that is being read is marked as read at once, and not announced. */
  arrived(notice: Notice): void {
    const seen = notice.read_at === null && this.ports.seen(notice.channel_id, notice.seq);
    this.apply((before) => withNotice(before, seen ? { ...notice, read_at: this.ports.now() } : notice));
    if (seen) void this.ports.read({ ids: [notice.id] }).catch(() => this.refreshSoon());
    else if (notice.read_at === null) this.ports.set({ ...this.ports.get(), heard: notice });
  }

  /** Some of them, or all with null, were read, here or on another device of mine. */
  wereRead(ids: readonly string[] | null, unread: number): void {
    this.apply((before) => ({ ...withRead(before, ids, this.ports.now()), unread }));
  }

  /** A message was deleted, and with it what was told of it; whether that was counted only the server knows. */
  deleted(messageId: string): void {
    if (this.ports.get().rows.some((row) => row.message_id === messageId)) this.refreshSoon();
  }

  /** Mark one as read, and show it at once. Raises ApiError. */
  async markRead(id: string): Promise<void> {
    if (this.ports.get().rows.some((row) => row.id === id && row.read_at === null)) await this.mark([id]);
  }

  /** Mark all as read, and show it at once. Raises ApiError. */
  async markAllRead(): Promise<void> {
    await this.mark(null);
  }

  /** Load what is older than the loaded ones. Raises ApiError. */
  async more(): Promise<void> {
    const { next } = this.ports.get();
    if (next === null) return;
    const page = await this.ports.page(next, USUAL);
    const notices = this.ports.get();
    // A list that was read anew meanwhile ends elsewhere.
    if (notices.next === next) this.ports.set({ ...notices, ...extend(notices, pagesOf(page)) });
  }

  private async mark(ids: string[] | null): Promise<void> {
    this.apply((before) => withRead(before, ids, this.ports.now()));
    try {
      const { unread } = await this.ports.read(ids === null ? { all: true } : { ids });
      this.ports.set({ ...this.ports.get(), unread });
    } catch (error) {
      this.refreshSoon();
      throw error;
    }
  }

  private apply(event: Event): void {
    this.meanwhile?.push(event);
    this.ports.set(event(this.ports.get()));
  }

  private async fetch(): Promise<void> {
    const meanwhile: Event[] = [];
    this.meanwhile = meanwhile;
    const limit = pageSize(this.ports.get().rows.length, USUAL);
    const page = await this.ports.page(null, limit).finally(() => {
      if (this.meanwhile === meanwhile) this.meanwhile = null;
    });
    const before = this.ports.get();
    const fresh = { ...before, ...overlay(pagesOf(page), before), unread: page.unread, loaded: true };
    this.ports.set(meanwhile.reduce((notices, event) => event(notices), fresh));
    // Whether the server had counted what came meanwhile, only another answer tells.
    if (meanwhile.length > 0) this.refreshSoon();
  }
}

function pagesOf(page: NoticePage): Pages<Notice> {
  return { rows: page.notifications, next: page.next };
}

function withNotice(before: Notices, notice: Notice): Notices {
  if (before.rows.some((row) => row.id === notice.id)) return before;
  const rows = [notice, ...before.rows].sort((a, b) => b.created_at.localeCompare(a.created_at));
  const unread = before.unread + Number(notice.read_at === null);
  return { ...before, rows, unread: Math.min(MOST_UNREAD, unread) };
}

function withRead(before: Notices, ids: readonly string[] | null, now: string): Notices {
  const named = ids === null ? null : new Set(ids);
  const affected = (row: Notice) => row.read_at === null && (named === null || named.has(row.id));
  const count = named === null ? before.unread : before.rows.filter(affected).length;
  return {
    ...before,
    rows: before.rows.map((row) => (affected(row) ? { ...row, read_at: now } : row)),
    unread: Math.max(0, before.unread - count),
  };
}
