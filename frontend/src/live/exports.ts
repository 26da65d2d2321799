/** Exports under way: fed by `job:progress`, and by asking while there is no connection. */
import * as api from "../api/api";
import type { Job } from "../api/types";
import type { Export, Report } from "./state";
import type { Workspace } from "./workspace";

const OFFLINE_POLL_MS = 1_500;
/** Progress events may be lost; a slow question beside them makes sure that the end is noticed. */
const ONLINE_POLL_MS = 5_000;

const ENDED = new Set(["done", "failed", "cancelled"]);

/** Where an export's progress is shown: in its channel, or on the page of what it tells of. */
export function placeOf(report: Report): string {
  return report.channelId ?? report.kind;
}

export class Exports {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;

  constructor(private readonly workspace: Workspace) {}

  /** Ask for a report, in place of an earlier one of the same. Raises ApiError. */
  async start(report: Report): Promise<void> {
    const { kind, channelId, format } = report;
    const { job } = await api.reports.start({ kind, format, ...(channelId === null ? {} : { channel_id: channelId }) });
    const whole: Job = { kind, status: "queued", progress: 0, ...job };
    const others = this.list().filter((one) => placeOf(one.report) !== placeOf(report));
    this.workspace.state.set({ exports: [...others, { report, job: whole }] });
    this.poll(500);
  }

  /** Take a job's state; a state that ended stays ended, however late an older event comes. */
  take(job: Job): void {
    const exports = this.list().map((one) => {
      if (one.job.id !== job.id || ENDED.has(one.job.status)) return one;
      const progress = Math.max(one.job.progress, job.progress);
      return { ...one, job: { ...one.job, ...job, progress } };
    });
    this.workspace.state.set({ exports });
    if (exports.some((one) => one.job.status === "done" && !one.job.result_url)) this.poll(500);
  }

  async cancel(jobId: string): Promise<void> {
    await api.reports.cancel(jobId);
    this.dismiss(jobId);
  }

  dismiss(jobId: string): void {
    this.workspace.state.set({ exports: this.list().filter((one) => one.job.id !== jobId) });
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private list(): Export[] {
    return this.workspace.state.get().exports;
  }

  private open(): Export[] {
    return this.list().filter((one) => !ENDED.has(one.job.status) || (one.job.status === "done" && !one.job.result_url));
  }

  private poll(ms: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    for (const one of this.open()) {
      const answer = await api.reports.get(one.job.id).catch(() => null);
      if (answer) this.replace(answer.job);
    }
    if (this.open().length > 0 && !this.stopped) this.poll(this.workspace.connection.connected ? ONLINE_POLL_MS : OFFLINE_POLL_MS);
  }

  /** What the server answers to a question is the present state, also the link that an event left out. */
  private replace(job: Job): void {
    const exports = this.list().map((one) => (one.job.id === job.id ? { ...one, job: { ...one.job, ...job } } : one));
    this.workspace.state.set({ exports });
  }
}
