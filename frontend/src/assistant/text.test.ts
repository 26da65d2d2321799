import { expect, test } from "vitest";
import { parseAnswer } from "./text";

test("numbers of sources are apart from the text", () => {
  expect(parseAnswer("Backups run at two [1][2]. They stay [1, 3].")).toEqual([
    {
      kind: "paragraph",
      lines: [
        [
          { kind: "text", text: "Backups run at two " },
          { kind: "source", number: 1 },
          { kind: "source", number: 2 },
          { kind: "text", text: ". They stay " },
          { kind: "source", number: 1 },
          { kind: "source", number: 3 },
          { kind: "text", text: "." },
        ],
      ],
    },
  ]);
});

test("lines and lists stay, and empty lines part paragraphs", () => {
  const blocks = parseAnswer("a\nb\n\n- one\n- two\n3. three\n\nend");
  expect(blocks.map((block) => (block.kind === "list" ? [block.ordered, block.first, block.items.length] : block.lines.length))).toEqual([
    2, [false, 1, 2], [true, 3, 1], 1,
  ]);
});

test("links, images and HTML of a model stay text", () => {
  const text = "![x](https://evil.example/?q=1) <img src=x> [click](https://evil.example)";
  expect(parseAnswer(text)).toEqual([{ kind: "paragraph", lines: [[{ kind: "text", text }]] }]);
});
