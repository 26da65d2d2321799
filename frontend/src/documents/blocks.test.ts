import { expect, test } from "vitest";
import { parseBlocks, type Block, type Line } from "./blocks";
import { leavesOf, type Leaf } from "./leaves";

const TEXT = `# Setup **now** #

Some *text* over
two lines with [a link](https://a.example/x) and \`code\`.

- one
- two 🚀
  more of two

  - below
- [x] ticked

3. third
4. fourth

> quoted
> - in a list

| Name | Cost \\| net |
|:-----|-----:|
| **a** | 1 |
| b |

\`\`\`py
x = "<b>"

y = 2
\`\`\`
Title
=====
***
<script>alert(1)</script>`;

function kinds(blocks: readonly Block[]): unknown[] {
  return blocks.map((block) =>
    block.kind === "list"
      ? block.items.map((item) => kinds(item.blocks))
      : block.kind === "quote"
        ? { quote: kinds(block.blocks) }
        : block.kind,
  );
}

test("a document has headings, paragraphs, lists, quotes, tables, code and rules", () => {
  expect(kinds(parseBlocks(TEXT))).toEqual([
    "heading",
    "paragraph",
    [["paragraph"], ["paragraph", [["paragraph"]]], ["paragraph"]],
    [["paragraph"], ["paragraph"]],
    { quote: ["paragraph", [["paragraph"]]] },
    "table",
    "code",
    "heading",
    "rule",
    "paragraph",
  ]);
});

function lines(blocks: readonly Block[]): Line[] {
  return blocks.flatMap((block): Line[] => {
    switch (block.kind) {
      case "heading":
        return [block.line];
      case "paragraph":
      case "code":
        return block.lines;
      case "quote":
        return lines(block.blocks);
      case "list":
        return block.items.flatMap((item) => lines(item.blocks));
      case "table":
        return [...block.head, ...block.rows.flat()];
      case "rule":
        return [];
    }
  });
}

function texts(leaves: readonly Leaf[]): { text: string; at: number }[] {
  return leaves.flatMap((leaf) => ("children" in leaf ? texts(leaf.children) : "text" in leaf ? [leaf] : []));
}

test("every line and every leaf stands where it says", () => {
  const blocks = parseBlocks(TEXT);
  for (const line of lines(blocks)) expect(TEXT.slice(line.at, line.at + line.text.length)).toBe(line.text);
  const leaves = lines(blocks).flatMap((line) => texts(leavesOf([line])));
  expect(leaves.length).toBeGreaterThan(25);
  for (const { text, at } of leaves) expect(TEXT.slice(at, at + text.length)).toBe(text);
});

test("marks go over the ends of lines, and each part keeps its place", () => {
  const text = "a **b\n  c** [d](https://e.example) d  \nnext";
  const leaves = leavesOf(parseBlocks(text).flatMap((block) => (block.kind === "paragraph" ? block.lines : [])));
  const found = texts(leaves).filter((leaf) => leaf.text.trim() !== "");
  expect(found.map((leaf) => leaf.text)).toEqual(["a ", "b", "c", "d", " d", "next"]);
  for (const { text: part, at } of found) expect(text.slice(at, at + part.length)).toBe(part);
  expect(leaves.some((leaf) => leaf.kind === "break")).toBe(true);
});

test("an image is named and never fetched, and a script address is no link", () => {
  const [image] = leavesOf([{ text: "![plan](https://a.example/x.png)", at: 0 }]).filter((leaf) => leaf.kind === "link");
  expect(image).toMatchObject({ text: "plan", image: true });
  const [plain] = leavesOf([{ text: "[x](javascript:alert(1))", at: 0 }]);
  expect(plain).toEqual({ kind: "text", text: "[x](javascript:alert(1))", at: 0 });
});

test("a table keeps its columns, however many cells a row has", () => {
  const [table] = parseBlocks("| a | b |\n|:-:|---|\n| 1 |\n| 1 | 2 | 3 |\nend");
  expect(table).toMatchObject({ kind: "table", align: ["center", null] });
  if (table?.kind !== "table") throw new Error("no table");
  expect(table.rows.map((row) => row.map((cell) => cell.text))).toEqual([["1", ""], ["1", "2"]]);
});

test("a number within a paragraph begins no list", () => {
  expect(kinds(parseBlocks("It was in\n1984. A cold day"))).toEqual(["paragraph"]);
});

test("no text takes long to read", () => {
  const hard = [
    "> ".repeat(20_000), "- ".repeat(20_000), "- a\n".repeat(20_000), "- a\n\n".repeat(10_000), "|".repeat(40_000), "```\n".repeat(20_000),
    "# ".repeat(20_000), "a | b\n--|--\n".repeat(5_000), " ".repeat(40_000), "- - ".repeat(9_000), "***a".repeat(10_000),
  ];
  for (const text of hard) {
    const began = performance.now();
    for (const line of lines(parseBlocks(text)).slice(0, 200)) leavesOf([line]);
    expect(performance.now() - began).toBeLessThan(1_500);
  }
});
