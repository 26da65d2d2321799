/** What the buttons above an editor do with a text and its selection. Offsets are UTF-16 units, as text areas count. */

export interface Selected {
  text: string;
  start: number;
  end: number;
}

export type Tool = "bold" | "italic" | "code" | "heading" | "list" | "numbers" | "tasks" | "quote" | "link" | "table";

const TABLE = "| Name | Value |\n| --- | --- |\n|  |  |\n";

export function applyTool(tool: Tool, given: Selected): Selected {
  switch (tool) {
    case "bold":
      return wrapped(given, "**", "bold");
    case "italic":
      return wrapped(given, "*", "italic");
    case "code":
      return given.text.slice(given.start, given.end).includes("\n") ? fenced(given) : wrapped(given, "`", "code");
    case "heading":
      return heading(given);
    case "list":
      return prefixed(given, () => "- ");
    case "numbers":
      return prefixed(given, (at) => `${at + 1}. `);
    case "tasks":
      return prefixed(given, () => "- [ ] ");
    case "quote":
      return prefixed(given, () => "> ");
    case "link":
      return link(given);
    case "table":
      return table(given);
  }
}

/** Put marks around the selection, or take them away where they are. */
function wrapped({ text, start, end }: Selected, mark: string, word: string): Selected {
  const inner = text.slice(start, end) || word;
  const size = mark.length;
  const around = text.slice(start - size, start) === mark && text.slice(end, end + size) === mark;
  // One star beside the selection may be half of two.
  const half = mark === "*" && text.slice(start - 2, start) === "**" && text.slice(start - 3, start) !== "***";
  if (around && !half) {
    return { text: text.slice(0, start - size) + text.slice(start, end) + text.slice(end + size), start: start - size, end: end - size };
  }
  return {
    text: text.slice(0, start) + mark + inner + mark + text.slice(end),
    start: start + size,
    end: start + size + inner.length,
  };
}

function lineSpan({ text, start, end }: Selected): { from: number; to: number } {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", Math.max(start, end - (text.charAt(end - 1) === "\n" && end > start ? 1 : 0)));
  return { from, to: to < 0 ? text.length : to };
}

function withLines(given: Selected, change: (lines: string[]) => string[]): Selected {
  const { from, to } = lineSpan(given);
  const before = given.text.slice(from, to);
  const after = change(before.split("\n")).join("\n");
  const text = given.text.slice(0, from) + after + given.text.slice(to);
  if (given.start !== given.end) return { text, start: from, end: from + after.length };
  const place = Math.max(from, given.start + after.length - before.length);
  return { text, start: place, end: place };
}

const MARK = /^(?:- \[[ xX]\] |[-*+] |\d+[.)] |> )/;

/** Put a mark before each line, in place of another one; or take it away where every line has it. */
function prefixed(given: Selected, mark: (at: number) => string): Selected {
  return withLines(given, (lines) => {
    const has = lines.every((line, at) => MARK.exec(line)?.[0] === mark(at));
    return lines.map((line, at) => (has ? "" : mark(at)) + line.replace(MARK, ""));
  });
}

/** From no heading to the first three levels and back. */
function heading(given: Selected): Selected {
  return withLines(given, (lines) =>
    lines.map((line) => {
      const found = /^(#{1,6}) +/.exec(line);
      const level = found?.[1]?.length ?? 0;
      const rest = line.slice(found?.[0].length ?? 0);
      return level === 0 ? `## ${rest}` : level === 2 ? `### ${rest}` : level === 1 ? `## ${rest}` : rest;
    }),
  );
}

function link({ text, start, end }: Selected): Selected {
  const inner = text.slice(start, end);
  if (/^https?:\/\/\S+$/.test(inner)) {
    return { text: `${text.slice(0, start)}[title](${inner})${text.slice(end)}`, start: start + 1, end: start + 6 };
  }
  const name = inner || "title";
  const place = start + name.length + 3;
  return { text: `${text.slice(0, start)}[${name}](https://)${text.slice(end)}`, start: place, end: place + 8 };
}

function fenced(given: Selected): Selected {
  return withLines(given, (lines) => ["```", ...lines, "```"]);
}

function table({ text, start, end }: Selected): Selected {
  const gap = start === 0 || text.slice(0, start).endsWith("\n\n") ? "" : text.charAt(start - 1) === "\n" ? "\n" : "\n\n";
  const place = start + gap.length + 2;
  return { text: text.slice(0, start) + gap + TABLE + text.slice(end), start: place, end: place + 4 };
}

/** What Enter does in a list: the next line begins as this one does, and an empty item ends the list. Else null. */
export function continueList({ text, start, end }: Selected): Selected | null {
  if (start !== end) return null;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const found = /^(\s*)(- \[[ xX]\] |[-*+] |(\d+)([.)]) |> )/.exec(text.slice(from, start));
  if (!found) return null;
  const [whole, space = "", mark = "", number, dot] = found;
  if (text.slice(from, start) === whole) {
    return { text: text.slice(0, from) + text.slice(start), start: from, end: from };
  }
  const next = number ? `${Number(number) + 1}${dot ?? "."} ` : mark.replace(/\[[xX]\]/, "[ ]");
  const added = `\n${space}${next}`;
  return { text: text.slice(0, start) + added + text.slice(end), start: start + added.length, end: start + added.length };
}
