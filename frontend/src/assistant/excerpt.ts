/** The part of a long text around a quote. */
import type { Range } from "../documents/points";

export interface Excerpt {
  text: string;
  mark: Range;
  /** Something stands before it, after it. */
  before: boolean;
  after: boolean;
}

const AROUND = 700;

/** Cut at the ends of paragraphs where there are some, else of lines, about 700 units to each side. */
export function excerptOf(text: string, mark: Range): Excerpt {
  const from = edge(text, Math.max(0, mark.start - AROUND), mark.start, "first");
  const to = edge(text, mark.end, Math.min(text.length, mark.end + AROUND), "last");
  return {
    text: text.slice(from, to),
    mark: { start: mark.start - from, end: mark.end - from },
    before: text.slice(0, from).trim() !== "",
    after: text.slice(to).trim() !== "",
  };
}

function edge(text: string, from: number, to: number, which: "first" | "last"): number {
  if (which === "first" && from === 0) return 0;
  if (which === "last" && to === text.length) return to;
  const part = text.slice(from, to);
  for (const border of ["\n\n", "\n", " "]) {
    const at = which === "first" ? part.indexOf(border) : part.lastIndexOf(border);
    if (at >= 0) return from + at + (which === "first" ? border.length : 0);
  }
  return which === "first" ? from : to;
}
