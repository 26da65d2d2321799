/**
 * A document's Markdown as a tree, each piece of which knows where in the text it stands. Nothing in here makes HTML.
 *
 * What is not understood is shown as it was written. Offsets are UTF-16 units.
 */

/** A part of one line of the text. */
export interface Line {
  text: string;
  at: number;
}

export type Block =
  | { kind: "heading"; level: number; line: Line }
  | { kind: "paragraph"; lines: Line[] }
  | { kind: "code"; lines: Line[] }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "list"; ordered: boolean; first: number; items: Item[] }
  | { kind: "table"; head: Line[]; align: Align[]; rows: Line[][] }
  | { kind: "rule" };

export interface Item {
  /** Null where there is no box to tick. */
  ticked: boolean | null;
  blocks: Block[];
}

export type Align = "left" | "center" | "right" | null;

const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+|$)/;
const FENCE = /^( {0,3})(`{3,}|~{3,})([^`]*)$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}|\t|$)/;
const TASK = /^\[([ xX])\] +/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
/** Deeper than anybody writes, and shallow enough that no text can make it slow. */
const DEEPEST = 8;

export function linesOf(text: string): Line[] {
  let at = 0;
  return text.split("\n").map((line) => {
    const found = { text: line.endsWith("\r") ? line.slice(0, -1) : line, at };
    at += line.length + 1;
    return found;
  });
}

export function parseBlocks(text: string): Block[] {
  return blocksOf(linesOf(text), 0);
}

function blocksOf(lines: readonly Line[], depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: Line[] = [];
  const flush = () => {
    if (paragraph.length > 0) blocks.push({ kind: "paragraph", lines: paragraph });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] as Line;
    if (blank(line)) {
      flush();
      at += 1;
      continue;
    }
    const under = paragraph.length === 1 && UNDERLINE.exec(line.text);
    if (under && paragraph[0]) {
      blocks.push({ kind: "heading", level: under[1]?.startsWith("=") ? 1 : 2, line: tail(paragraph[0], indent(paragraph[0].text)) });
      paragraph = [];
      at += 1;
      continue;
    }
    const found = blockAt(lines, at, depth, paragraph.length > 0);
    if (found) {
      flush();
      blocks.push(found.block);
      at = found.next;
    } else {
      paragraph.push(line);
      at += 1;
    }
  }
  flush();
  return blocks;
}

interface Found {
  block: Block;
  next: number;
}

function blockAt(lines: readonly Line[], at: number, depth: number, within: boolean): Found | null {
  const line = lines[at] as Line;
  const heading = HEADING.exec(line.text);
  if (heading) {
    const rest = tail(line, heading[0].length);
    const shown = { ...rest, text: rest.text.replace(/[ \t]+#+[ \t]*$/, "").trimEnd() };
    return { block: { kind: "heading", level: heading[1]?.length ?? 1, line: shown }, next: at + 1 };
  }
  const fence = FENCE.exec(line.text);
  if (fence) return fenced(lines, at, fence[1] ?? "", fence[2] ?? "```");
  if (RULE.test(line.text)) return { block: { kind: "rule" }, next: at + 1 };
  if (depth < DEEPEST && QUOTE.test(line.text)) return quoted(lines, at, depth);
  if (depth < DEEPEST && opensList(line.text, within)) return listed(lines, at, depth);
  return tabled(lines, at);
}

/** A number in the middle of a paragraph begins no list, unless it is the first. */
function opensList(text: string, within: boolean): boolean {
  const found = ITEM.exec(text);
  if (!found) return false;
  if (!within) return true;
  return text.length > found[0].length && (/^[-*+]$/.test(found[2] ?? "") || /^1[.)]$/.test(found[2] ?? ""));
}

function fenced(lines: readonly Line[], at: number, margin: string, fence: string): Found {
  const close = new RegExp(`^ {0,3}\\${fence.charAt(0)}{${fence.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end]?.text ?? "")) end += 1;
  const inner = lines.slice(at + 1, end).map((line) => tail(line, Math.min(indent(line.text), margin.length)));
  return { block: { kind: "code", lines: inner }, next: Math.min(end + 1, lines.length) };
}

function quoted(lines: readonly Line[], at: number, depth: number): Found {
  const inner: Line[] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] as Line;
    const mark = QUOTE.exec(line.text);
    if (mark) inner.push(tail(line, mark[0].length));
    else if (blank(line) || startsBlock(line.text)) break;
    else inner.push(line);
  }
  return { block: { kind: "quote", blocks: blocksOf(inner, depth + 1) }, next };
}

function startsBlock(text: string): boolean {
  return HEADING.test(text) || FENCE.test(text) || RULE.test(text) || QUOTE.test(text) || ITEM.test(text);
}

function listed(lines: readonly Line[], at: number, depth: number): Found {
  const mark = ITEM.exec((lines[at] as Line).text)?.[2] ?? "-";
  const ordered = /\d/.test(mark);
  const items: Item[] = [];
  let next = at;
  while (next < lines.length) {
    const line = lines[next] as Line;
    const found = ITEM.exec(line.text);
    // Another kind of mark begins another list.
    if (!found || RULE.test(line.text) || (found[2] ?? "").slice(-1) !== mark.slice(-1)) break;
    const width = found[0].length - (found[3] === "\t" ? 0 : Math.max(0, (found[3]?.length ?? 1) - 1));
    const inner = [tail(line, found[0].length)];
    next = itemLines(lines, next + 1, width, inner);
    items.push(itemOf(inner, depth));
  }
  return { block: { kind: "list", ordered, first: ordered ? Number.parseInt(mark, 10) : 1, items }, next };
}

/** Collect what belongs to an item: what is indented, and a paragraph's lines that nobody indented. */
function itemLines(lines: readonly Line[], from: number, width: number, inner: Line[]): number {
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at] as Line;
    if (blank(line)) {
      const after = lines.slice(at, at + 3).find((one) => !blank(one));
      if (!after || indent(after.text) < Math.min(width, 2)) {
        // An empty line between two items keeps them in one list.
        if (after && ITEM.test(after.text)) return lines.indexOf(after, at);
        return at;
      }
      inner.push(tail(line, line.text.length));
    } else if (indent(line.text) >= Math.min(width, 2)) inner.push(tail(line, Math.min(indent(line.text), width)));
    else if (startsBlock(line.text) || blank(inner.at(-1) as Line)) return at;
    else inner.push(line);
  }
  return at;
}

function itemOf(inner: Line[], depth: number): Item {
  const [first, ...rest] = inner as [Line, ...Line[]];
  const task = TASK.exec(first.text);
  const lines = task ? [tail(first, task[0].length), ...rest] : inner;
  return { ticked: task ? task[1] !== " " : null, blocks: blocksOf(lines, depth + 1) };
}

function tabled(lines: readonly Line[], at: number): Found | null {
  const head = lines[at] as Line;
  const divider = lines[at + 1];
  if (!divider || !head.text.includes("|") || !divider.text.includes("-") || !DIVIDER.test(divider.text)) return null;
  const align = cells(divider).map((cell) => alignOf(cell.text));
  const titles = cells(head);
  if (titles.length !== align.length) return null;
  let next = at + 2;
  const rows: Line[][] = [];
  for (; next < lines.length && !blank(lines[next] as Line) && lines[next]?.text.includes("|"); next += 1) {
    const row = cells(lines[next] as Line);
    rows.push(titles.map((_, column) => row[column] ?? { text: "", at: (lines[next] as Line).at }));
  }
  return { block: { kind: "table", head: titles, align, rows }, next };
}

function alignOf(cell: string): Align {
  if (cell.startsWith(":")) return cell.endsWith(":") && cell.length > 1 ? "center" : "left";
  return cell.endsWith(":") ? "right" : null;
}

function cells(line: Line): Line[] {
  const found: Line[] = [];
  let from = indent(line.text);
  let end = line.text.trimEnd().length;
  if (line.text.charAt(from) === "|") from += 1;
  if (end > from && line.text.charAt(end - 1) === "|" && line.text.charAt(end - 2) !== "\\") end -= 1;
  for (let at = from; at <= end; at += 1) {
    if (at < end && (line.text.charAt(at) !== "|" || line.text.charAt(at - 1) === "\\")) continue;
    const cell = line.text.slice(from, at);
    found.push({ text: cell.trim(), at: line.at + from + indent(cell) });
    from = at + 1;
  }
  return found;
}

function blank(line: Line): boolean {
  return line.text.trim() === "";
}

function indent(text: string): number {
  return text.length - text.trimStart().length;
}

function tail(line: Line, from: number): Line {
  return { text: line.text.slice(from), at: line.at + from };
}
