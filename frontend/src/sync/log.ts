/** One channel as this client holds it: messages by id, the change number it has seen, and events that came early. */
import type { Message, MessagePage } from "../api/types";

export class ChannelLog {
  /** Every change up to this number is in `messages`, as far as it concerns the loaded window. */
  cursor = 0;
  /** The first page has arrived, so the cursor means something. */
  loaded = false;
  /** Posting number of the oldest message of the loaded window: everything from here on is complete. */
  oldest = Number.POSITIVE_INFINITY;
  /** There may be messages older than the window. */
  older = true;
  private readonly messages = new Map<string, Message>();
  private promised = 0;
  private readonly early = new Map<number, Message>();
  private sorted: Message[] | null = null;

  /** Put a message in, unless the same or a later state of it is here already. Answer whether it was unknown. */
  put(message: Message): boolean {
    const known = this.messages.get(message.id);
    if (known && known.changed_seq >= message.changed_seq) return false;
    this.messages.set(message.id, message);
    this.sorted = null;
    return known === undefined;
  }

  /** Put a message in that came in order. Only a posting after the cursor is news; an old one that changed is not. */
  private admit(message: Message, fresh: Message[], since: number): void {
    if (this.put(message) && message.seq > since) fresh.push(message);
  }

  get(id: string): Message | undefined {
    return this.messages.get(id);
  }

  /** Start from the newest page: its head is the first cursor. Answer what came early and now fits. */
  start(page: MessagePage): Message[] {
    this.extend(page);
    this.loaded = true;
    return this.advance(page.head);
  }

  /** Add a page of messages older than the window. */
  extend(page: MessagePage): void {
    for (const message of page.messages) {
      this.put(message);
      this.oldest = Math.min(this.oldest, message.seq);
    }
    this.older = page.more;
    if (!page.more) this.oldest = 0;
    this.sorted = null;
  }

  /** Take an event: apply it if it is next, keep it if it is early. Answer the new messages it brought. */
  take(seq: number, message: Message): Message[] {
    const fresh: Message[] = [];
    if (!this.loaded || seq > this.cursor + 1) {
      this.early.set(seq, message);
      return fresh;
    }
    this.admit(message, fresh, this.cursor);
    if (seq === this.cursor + 1) {
      this.cursor = seq;
      this.drain(fresh);
    }
    return fresh;
  }

  /** Apply changes from a sync; `upTo` is the cursor they lead to, which never moves it back. */
  apply(changes: Message[], upTo: number): Message[] {
    const fresh: Message[] = [];
    for (const message of changes) this.admit(message, fresh, this.cursor);
    return fresh.concat(this.advance(upTo));
  }

  /** The server told that the channel has come this far. */
  promise(head: number): void {
    this.promised = Math.max(this.promised, head);
  }

  /** The server gave all it had: a head above the cursor that it told before was a mistake. */
  keepPromise(): void {
    this.promised = 0;
  }

  /** True while an event waits for one before it, or the server is known to have more. */
  get behind(): boolean {
    return this.loaded && (this.early.size > 0 || this.promised > this.cursor);
  }

  /** The window, oldest first. A message older than it would hide a gap, so it is kept but not shown. */
  list(): Message[] {
    this.sorted ??= [...this.messages.values()]
      .filter((message) => message.seq >= this.oldest)
      .sort((a, b) => a.seq - b.seq);
    return this.sorted;
  }

  /** A thread as far as it is known: its root, and the replies in posting order. */
  thread(rootId: string): Message[] {
    return [...this.messages.values()]
      .filter((message) => message.id === rootId || message.thread_id === rootId)
      .sort((a, b) => a.seq - b.seq);
  }

  private advance(upTo: number): Message[] {
    const since = this.cursor;
    const fresh: Message[] = [];
    this.cursor = Math.max(this.cursor, upTo);
    for (const [seq, message] of [...this.early].sort((a, b) => a[0] - b[0])) {
      if (seq > this.cursor) break;
      this.early.delete(seq);
      this.admit(message, fresh, since);
    }
    this.drain(fresh);
    return fresh;
  }

  private drain(fresh: Message[]): void {
    for (let next = this.early.get(this.cursor + 1); next; next = this.early.get(this.cursor + 1)) {
      this.early.delete(this.cursor + 1);
      this.admit(next, fresh, this.cursor);
      this.cursor += 1;
    }
  }
}
