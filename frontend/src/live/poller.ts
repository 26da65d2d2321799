/** Reads something again and again while somebody looks at it: never twice at once, and not in a rush. */

export interface PollerPorts {
  /** Must not reject. */
  work: () => Promise<void>;
  /** Nobody sees the page: then nothing is read until somebody does. */
  asleep: () => boolean;
}

export class Poller {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running = false;
  private again = false;
  private stopped = false;
  private ended = Number.NEGATIVE_INFINITY;

  /** Read every `everyMs`, and `restMs` after the last time at the earliest. */
  constructor(private readonly ports: PollerPorts, private readonly everyMs: number, private readonly restMs: number) {}

  /** Something may have changed: read soon. */
  nudge = (): void => {
    if (this.running) this.again = true;
    else this.wait(this.ended + this.restMs - Date.now());
  };

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private wait(ms: number): void {
    if (this.timer) clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => void this.run(), Math.max(0, ms));
  }

  private async run(): Promise<void> {
    this.timer = null;
    if (!this.ports.asleep()) {
      this.running = true;
      this.again = false;
      await this.ports.work();
      this.running = false;
      this.ended = Date.now();
    }
    this.wait(this.again ? this.restMs : this.everyMs);
  }
}
