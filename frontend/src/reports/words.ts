/** How an export stands, in words. */
import type { Job, ReportFormat } from "../api/types";

const WORDS: Record<Job["status"], string> = {
  queued: "Your export waits for its turn…",
  running: "Writing the export…",
  done: "Your export is ready.",
  failed: "The export failed.",
  cancelled: "The export was cancelled.",
};

/** Say how it stands; where it failed, also what the server says of it. */
export function statusWords(job: Pick<Job, "status" | "error">, format: ReportFormat): string {
  const words = WORDS[job.status].replace("export", `${format.toUpperCase()} export`);
  return job.status === "failed" && job.error?.message ? `${words} ${job.error.message}` : words;
}

/** Make the server's relative address one of our own origin, whatever it says. */
export function local(url: string, origin = window.location.origin): string {
  const whole = new URL(url, `${origin}/`);
  return whole.origin === origin ? whole.pathname + whole.search : "#";
}
