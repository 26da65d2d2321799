/** Files on their way to the server: some at once, the others in line; they go on while one looks at other pages. */
import { ApiError, sentence } from "../api/errors";
import type { Placing } from "../api/knowledge";
import { upload, type Sending } from "../api/upload";
import { Store } from "./store";

export interface Upload {
  id: string;
  name: string;
  bytes: number;
  status: "waiting" | "sending" | "done" | "failed";
  /** 0 to 1. */
  progress: number;
  problem: string | null;
  /** The document that the file became. */
  documentId: string | null;
}

interface Waiting {
  id: string;
  file: File;
  placing: Placing;
}

type Send = (file: File, placing: Placing, progress: (part: number) => void) => Sending;

const AT_ONCE = 2;

export class Uploads {
  readonly state = new Store<{ uploads: readonly Upload[] }>({ uploads: [] });
  private readonly line: Waiting[] = [];
  private readonly failed = new Map<string, Waiting>();
  private readonly sending = new Map<string, Sending>();
  private count = 0;

  constructor(private readonly send: Send = upload) {}

  add(files: readonly File[], placing: Placing): void {
    for (const file of files) {
      this.count += 1;
      const id = `upload-${this.count}`;
      const shown = { id, name: file.name, bytes: file.size, progress: 0, documentId: null };
      this.set([...this.list(), { ...shown, status: "waiting", problem: null }]);
      this.line.push({ id, file, placing });
    }
    this.next();
  }

  again(id: string): void {
    const waiting = this.failed.get(id);
    if (!waiting) return;
    this.failed.delete(id);
    this.change(id, { status: "waiting", problem: null, progress: 0 });
    this.line.push(waiting);
    this.next();
  }

  /** Take a file away: out of the line, off the wire, or out of sight. */
  drop(id: string): void {
    const at = this.line.findIndex((one) => one.id === id);
    if (at >= 0) this.line.splice(at, 1);
    this.sending.get(id)?.cancel();
    this.failed.delete(id);
    this.set(this.list().filter((one) => one.id !== id));
  }

  clear(): void {
    this.set(this.list().filter((one) => one.status === "waiting" || one.status === "sending"));
    this.failed.clear();
  }

  stop(): void {
    this.line.length = 0;
    for (const sending of this.sending.values()) sending.cancel();
  }

  private next(): void {
    while (this.sending.size < AT_ONCE) {
      const waiting = this.line.shift();
      if (!waiting) return;
      void this.begin(waiting);
    }
  }

  private async begin(waiting: Waiting): Promise<void> {
    const { id, file, placing } = waiting;
    const sending = this.send(file, placing, (progress) => this.change(id, { progress }));
    this.sending.set(id, sending);
    this.change(id, { status: "sending" });
    try {
      const document = await sending.done;
      this.change(id, { status: "done", progress: 1, documentId: document.id });
    } catch (error) {
      const again = error instanceof ApiError && error.temporary;
      if (again) this.failed.set(id, waiting);
      this.change(id, { status: "failed", problem: sentence(error) });
    } finally {
      this.sending.delete(id);
      this.next();
    }
  }

  /** Whether what failed may work later. */
  repeatable(id: string): boolean {
    return this.failed.has(id);
  }

  private list(): readonly Upload[] {
    return this.state.get().uploads;
  }

  private set(uploads: readonly Upload[]): void {
    this.state.set({ uploads });
  }

  private change(id: string, change: Partial<Upload>): void {
    this.set(this.list().map((one) => (one.id === id ? { ...one, ...change } : one)));
  }
}
