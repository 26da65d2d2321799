/** The inline marks of a document's lines, each text with its place in the document. */
import { inlineOf, type Inline } from "../chat/markdown";
import type { Line } from "./blocks";

export type Leaf =
  | { kind: "text" | "code"; text: string; at: number }
  | { kind: "break" }
  | { kind: "link"; href: string; text: string; at: number; image: boolean }
  | { kind: "bold" | "italic" | "strike"; children: Leaf[] };

/** Nobody writes such a paragraph; what machines write is shown without marks. */
const LONGEST = 20_000;

/** Read a block's lines as one text, so that marks may begin on one line and end on another. */
export function leavesOf(lines: readonly Line[]): Leaf[] {
  const shown = lines.map((line) => ({ line: trimmed(line), broken: /(?: {2}|\\)$/.test(line.text) }));
  const text = shown.map(({ line }) => line.text).join("\n");
  const starts = startsOf(shown.map(({ line }) => line));
  const breaks = new Set(shown.map(({ broken }, at) => (broken ? at : -1)));
  const nodes: Inline[] = text.length > LONGEST ? [{ kind: "text", text }] : inlineOf(text);
  return located(nodes, text, 0, { starts, breaks });
}

/** One line, or a part of one. */
export function leavesOfLine(line: Line): Leaf[] {
  return leavesOf([line]);
}

function trimmed(line: Line): Line {
  const lead = line.text.length - line.text.trimStart().length;
  return { text: line.text.slice(lead).replace(/(?:\\|[ \t]+)$/, ""), at: line.at + lead };
}

interface Places {
  /** Where each line begins: in the joined text, and in the document. */
  starts: { joined: number; at: number }[];
  /** The lines that end with a break of their own. */
  breaks: ReadonlySet<number>;
}

function startsOf(lines: readonly Line[]): Places["starts"] {
  let joined = 0;
  return lines.map((line) => {
    const start = { joined, at: line.at };
    joined += line.text.length + 1;
    return start;
  });
}

/** Give nodes their places: the marks around a node's text are as long as its kind says. */
function located(nodes: readonly Inline[], text: string, from: number, places: Places): Leaf[] {
  let at = from;
  return nodes.flatMap((node, index): Leaf[] => {
    const start = at;
    at += width(node, text, at);
    switch (node.kind) {
      case "text":
        return split(imageMark(node.text, nodes[index + 1]), start, places);
      case "mention":
        return split(`@${node.name}`, start, places);
      case "code":
        return [{ kind: "code", text: node.text, at: place(start + 1, places) }];
      case "link": {
        const named = text.charAt(start) === "[";
        const image = named && text.charAt(start - 1) === "!";
        return [{ kind: "link", href: node.href, text: node.text, at: place(start + (named ? 1 : 0), places), image }];
      }
      default:
        return [{ kind: node.kind, children: located(node.children, text, start + markWidth(node.kind), places) }];
    }
  });
}

/** The `!` before an image is not part of the text. */
function imageMark(text: string, next: Inline | undefined): string {
  return next?.kind === "link" && next.href !== next.text && text.endsWith("!") ? text.slice(0, -1) : text;
}

function markWidth(kind: "bold" | "italic" | "strike"): number {
  return kind === "italic" ? 1 : 2;
}

function width(node: Inline, text: string, at: number): number {
  switch (node.kind) {
    case "text":
      return node.text.length;
    case "mention":
      return node.name.length + 1;
    case "code":
      return node.text.length + 2;
    case "link":
      return text.charAt(at) === "[" ? node.text.length + node.href.length + 4 : node.text.length;
    default: {
      const mark = markWidth(node.kind);
      const end = node.children.reduce((sum, child) => sum + width(child, text, sum), at + mark);
      return end + mark - at;
    }
  }
}

/** A text over several lines is as many leaves, for only within a line are its places in a row. */
function split(text: string, start: number, places: Places): Leaf[] {
  let at = start;
  return text.split("\n").flatMap((part, index): Leaf[] => {
    const line = lineAt(at, places);
    const leaf: Leaf = { kind: "text", text: part, at: place(at, places) };
    const before: Leaf[] = index === 0 ? [] : places.breaks.has(line - 1) ? [{ kind: "break" }] : [{ kind: "text", text: " ", at: leaf.at - 1 }];
    at += part.length + 1;
    return part === "" ? before : [...before, leaf];
  });
}

function lineAt(joined: number, { starts }: Places): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle]?.joined ?? 0) <= joined) low = middle;
    else high = middle - 1;
  }
  return low;
}

function place(joined: number, places: Places): number {
  const start = places.starts[lineAt(joined, places)];
  return start ? start.at + joined - start.joined : joined;
}
