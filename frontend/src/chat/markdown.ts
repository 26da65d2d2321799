/** The little markdown that chat needs, as a tree. Nothing in here makes HTML. */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "link"; href: string; text: string }
  | { kind: "mention"; name: string }
  | { kind: "bold" | "italic" | "strike"; children: Inline[] };

export type Block = { kind: "code"; text: string } | { kind: "quote" | "line"; children: Inline[] };

const FENCE = /^```[^\n`]*$/;

/** Read a message's text; `names` are the people who can be mentioned. */
export function parse(text: string, names: readonly string[]): Block[] {
  const sorted = [...names].filter(Boolean).sort((a, b) => b.length - a.length);
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const end = FENCE.test(line) ? lines.findIndex((one, index) => index > at && one.trimEnd() === "```") : -1;
    if (end > at) {
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
      at = end;
    } else if (/^> ?/.test(line)) {
      blocks.push({ kind: "quote", children: inline(line.replace(/^> ?/, ""), sorted) });
    } else {
      blocks.push({ kind: "line", children: inline(line, sorted) });
    }
  }
  return blocks;
}

/** Read the marks within a text that names nobody; line ends are text like any other. */
export function inlineOf(text: string): Inline[] {
  return inline(text, []);
}

/** The words alone, on one line: for places where a message is only hinted at or read out. */
export function plain(text: string): string {
  const words = parse(text, []).map((block) => (block.kind === "code" ? block.text : wordsOf(block.children)));
  return words.join(" ").replace(/\s+/g, " ").trim();
}

function wordsOf(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => ("children" in node ? wordsOf(node.children) : node.kind === "mention" ? `@${node.name}` : node.text))
    .join("");
}

const URL_PATTERN = /^https?:\/\/[^\s<>"`]+/i;
const LINK_PATTERN = /^\[([^\]\n]{1,300})\]\((https?:\/\/[^\s()]+(?:\([^\s()]*\)[^\s()]*)*|mailto:[^\s()]+|\/documents\/[\w-]{1,64})\)/i;
const MARKS: [string, "bold" | "italic" | "strike"][] = [
  ["**", "bold"],
  ["__", "bold"],
  ["~~", "strike"],
  ["*", "italic"],
  ["_", "italic"],
];
/** Marks within marks: deeper than anybody writes, and shallow enough that no text can make it slow. */
const DEEPEST = 4;

function inline(text: string, names: readonly string[], depth = 0): Inline[] {
  const out: Inline[] = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = special(text, at, names, depth);
    if (found) {
      flush();
      out.push(found.node);
      at += found.length;
    } else {
      plain += text.charAt(at);
      at += 1;
    }
  }
  flush();
  return out;
}

interface Found {
  node: Inline;
  length: number;
}

function special(text: string, at: number, names: readonly string[], depth: number): Found | null {
  switch (text.charAt(at)) {
    case "`":
      return code(text, at);
    case "@":
      return mention(text, at, names);
    case "[":
      return namedLink(text, at);
    case "h":
    case "H":
      return bareLink(text, at);
    case "*":
    case "_":
    case "~":
      return depth < DEEPEST ? marked(text, at, names, depth) : null;
    default:
      return null;
  }
}

function code(text: string, at: number): Found | null {
  const end = text.indexOf("`", at + 1);
  if (end <= at + 1) return null;
  return { node: { kind: "code", text: text.slice(at + 1, end) }, length: end + 1 - at };
}

const WORD = /[\p{L}\p{N}_]/u;

function mention(text: string, at: number, names: readonly string[]): Found | null {
  if (at > 0 && /[\p{L}\p{N}_@]/u.test(text.charAt(at - 1))) return null;
  for (const name of names) {
    const written = text.slice(at + 1, at + 1 + name.length);
    if (written.toLowerCase() === name.toLowerCase() && !WORD.test(text.charAt(at + 1 + name.length))) {
      return { node: { kind: "mention", name: written }, length: name.length + 1 };
    }
  }
  return null;
}

function namedLink(text: string, at: number): Found | null {
  const match = LINK_PATTERN.exec(text.slice(at, at + 2_400));
  if (!match?.[1] || !match[2]) return null;
  return { node: { kind: "link", text: match[1], href: match[2] }, length: match[0].length };
}

function bareLink(text: string, at: number): Found | null {
  if (at > 0 && WORD.test(text.charAt(at - 1))) return null;
  const match = URL_PATTERN.exec(text.slice(at, at + 2_000));
  if (!match) return null;
  // Punctuation at the end belongs to the sentence, a closing bracket only where one was opened within.
  let href = match[0].replace(/[.,;:!?'*_~]+$/, "");
  if (href.endsWith(")") && !href.includes("(")) href = href.slice(0, -1);
  return { node: { kind: "link", text: href, href }, length: href.length };
}

function marked(text: string, at: number, names: readonly string[], depth: number): Found | null {
  for (const [mark, kind] of MARKS) {
    if (!text.startsWith(mark, at)) continue;
    if (mark.startsWith("_") && WORD.test(text.charAt(at - 1))) continue;
    const start = at + mark.length;
    const end = closing(text, start, mark);
    if (end > start) {
      return { node: { kind, children: inline(text.slice(start, end), names, depth + 1) }, length: end + mark.length - at };
    }
  }
  return null;
}

/** Nobody emphasizes more than this, and a limit keeps a text full of marks quick to read. */
const FARTHEST = 1_000;

/** Find where a mark closes: not after a space, and for underscores not within a word (snake_case stays as it is). */
function closing(text: string, start: number, mark: string): number {
  if (/\s/.test(text.charAt(start)) || text.charAt(start) === "") return -1;
  const near = text.slice(0, start + FARTHEST);
  for (let end = near.indexOf(mark, start); end > 0; end = near.indexOf(mark, end + 1)) {
    const run = runOf(near, end, mark.charAt(0));
    // Of three in a row the outer mark takes the last ones; a single mark does not close on a double one.
    if (mark.length === 1 && run === 2) {
      end += 1;
      continue;
    }
    const at = mark.length === 2 && run > 2 ? end + run - 2 : end;
    const inWord = mark.startsWith("_") && WORD.test(near.charAt(at + mark.length));
    if (at > start && !/\s/.test(near.charAt(at - 1)) && !inWord) return at;
    end = at;
  }
  return -1;
}

function runOf(text: string, at: number, mark: string): number {
  let end = at;
  while (text.charAt(end) === mark && end - at < 4) end += 1;
  return end - at;
}
