/** An answer's text as a tree: paragraphs, lists and numbers of sources. Whatever else a model writes stays as written. */

export type Span = { kind: "text"; text: string } | { kind: "source"; number: number };
export type Block = { kind: "paragraph"; lines: Span[][] } | { kind: "list"; ordered: boolean; first: number; items: Span[][] };

const ITEM = /^\s{0,6}(?:[-*•]|(\d{1,3})[.)])\s+(?=\S)/;
const SOURCES = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

export function parseAnswer(text: string): Block[] {
  const blocks: Block[] = [];
  let open = false;
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    const item = ITEM.exec(line);
    const last = blocks.at(-1);
    if (item) {
      const ordered = item[1] !== undefined;
      const spans = spansOf(line.slice(item[0].length));
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(spans);
      else blocks.push({ kind: "list", ordered, first: Number(item[1] ?? 1), items: [spans] });
      open = true;
    } else if (line.trim() === "") open = false;
    else if (last?.kind === "paragraph" && open) last.lines.push(spansOf(line));
    else {
      blocks.push({ kind: "paragraph", lines: [spansOf(line)] });
      open = true;
    }
  }
  return blocks;
}

function spansOf(line: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const found of line.matchAll(SOURCES)) {
    if (found.index > at) spans.push({ kind: "text", text: line.slice(at, found.index) });
    for (const number of (found[1] ?? "").split(",")) spans.push({ kind: "source", number: Number(number) });
    at = found.index + found[0].length;
  }
  if (at < line.length) spans.push({ kind: "text", text: line.slice(at) });
  return spans;
}
