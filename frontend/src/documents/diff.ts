/** What changed between two texts: the lines that differ, and within them the words. */
import { diffArrays, diffWordsWithSpace } from "diff";

export interface Part {
  kind: "same" | "added" | "removed";
  text: string;
}

export type Hunk =
  | { kind: "changed"; parts: Part[] }
  /** Lines that are the same on both sides; only those near a change are shown. */
  | { kind: "same"; lines: string[] }
  | { kind: "skipped"; count: number };

export interface Difference {
  hunks: Hunk[];
  added: number;
  removed: number;
  /** The texts differ too much to be compared word by word in good time. */
  coarse: boolean;
}

const NEAR = 2;
const LINES_MS = 2_000;
const WORDS_MS = 300;

/** Compare two texts; whole lines first, so that long documents stay quick. */
export function compare(before: string, after: string): Difference {
  const from = before.split("\n");
  const to = after.split("\n");
  const rough = diffArrays(from, to, { timeout: LINES_MS });
  const changes = rough ?? [
    { removed: true, added: false, value: from, count: from.length },
    { removed: false, added: true, value: to, count: to.length },
  ];
  const result: Difference = { hunks: [], added: 0, removed: 0, coarse: !rough };
  for (let at = 0; at < changes.length; at += 1) {
    const change = changes[at];
    if (!change) continue;
    const next = changes[at + 1];
    if (!change.added && !change.removed) {
      result.hunks.push({ kind: "same", lines: change.value });
    } else if (next && (next.added || next.removed)) {
      const [gone, come] = change.removed ? [change, next] : [next, change];
      result.hunks.push(changed(gone.value.join("\n"), come.value.join("\n"), result));
      at += 1;
    } else {
      result.hunks.push(whole(change.value.join("\n"), change.added ? "added" : "removed"));
    }
  }
  for (const hunk of result.hunks) if (hunk.kind === "changed") count(hunk.parts, result);
  return { ...result, hunks: shortened(result.hunks) };
}

function changed(before: string, after: string, result: Difference): Hunk {
  const words = diffWordsWithSpace(before, after, { timeout: WORDS_MS });
  if (!words) {
    result.coarse = true;
    return { kind: "changed", parts: [{ kind: "removed", text: `${before}\n` }, { kind: "added", text: after }] };
  }
  return {
    kind: "changed",
    parts: words.map(({ value, added, removed }) => ({ kind: added ? "added" : removed ? "removed" : "same", text: value })),
  };
}

function whole(text: string, kind: "added" | "removed"): Hunk {
  return { kind: "changed", parts: [{ kind, text }] };
}

function count(parts: readonly Part[], result: Difference): void {
  for (const part of parts) {
    if (part.kind === "same") continue;
    result[part.kind] += part.text.match(/\S+/g)?.length ?? 0;
  }
}

/** Keep the lines beside a change, and say how many are left out elsewhere. */
function shortened(hunks: readonly Hunk[]): Hunk[] {
  return hunks.flatMap((hunk, at): Hunk[] => {
    if (hunk.kind !== "same") return [hunk];
    const before = at > 0 ? hunk.lines.slice(0, NEAR) : [];
    const after = at < hunks.length - 1 ? hunk.lines.slice(Math.max(before.length, hunk.lines.length - NEAR)) : [];
    const skipped = hunk.lines.length - before.length - after.length;
    // One line left out would take as much room as the line itself.
    if (skipped <= 1) return [hunk];
    return [
      ...(before.length > 0 ? [{ kind: "same" as const, lines: before }] : []),
      { kind: "skipped", count: skipped },
      ...(after.length > 0 ? [{ kind: "same" as const, lines: after }] : []),
    ];
  });
}
