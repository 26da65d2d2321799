import { expect, test } from "vitest";
import { parse, plain, type Inline } from "./markdown";

function line(text: string, names: string[] = []): Inline[] {
  const block = parse(text, names)[0];
  return block && block.kind !== "code" ? block.children : [];
}

test("marks become nodes, also within each other", () => {
  expect(line("a **b *c*** d")).toEqual([
    { kind: "text", text: "a " },
    { kind: "bold", children: [{ kind: "text", text: "b " }, { kind: "italic", children: [{ kind: "text", text: "c" }] }] },
    { kind: "text", text: " d" },
  ]);
});

test("snake_case and lone stars stay as they were written", () => {
  expect(line("read_seq and client_id, 2 * 3 * 4")).toEqual([{ kind: "text", text: "read_seq and client_id, 2 * 3 * 4" }]);
});

test("nothing is marked within code", () => {
  expect(line("`**a** <b>`")).toEqual([{ kind: "code", text: "**a** <b>" }]);
});

test("a fenced block keeps its lines, and an open fence is plain text", () => {
  expect(parse("```js\na\n  b\n```\nc", [])[0]).toEqual({ kind: "code", text: "a\n  b" });
  expect(parse("```\na", []).map((block) => block.kind)).toEqual(["line", "line"]);
});

test("only web and mail addresses become links", () => {
  expect(line("[x](javascript:alert(1))")).toEqual([{ kind: "text", text: "[x](javascript:alert(1))" }]);
  expect(line("[x](https://a.example/)")).toEqual([{ kind: "link", text: "x", href: "https://a.example/" }]);
});

test("punctuation after an address belongs to the sentence", () => {
  expect(line("(see https://a.example/b_c_d).")).toEqual([
    { kind: "text", text: "(see " },
    { kind: "link", text: "https://a.example/b_c_d", href: "https://a.example/b_c_d" },
    { kind: "text", text: ")." },
  ]);
});

test("the longest name is the one mentioned, and addresses mention nobody", () => {
  expect(line("@ann lee x@ann", ["Ann", "Ann Lee"])).toEqual([
    { kind: "mention", name: "ann lee" },
    { kind: "text", text: " x@ann" },
  ]);
});

test("a hint of a message has its words and none of its marks", () => {
  expect(plain("a **b *c***, [d](https://a.example)\n```\ne  f\n```\n> @Ann `g`")).toBe("a b c, d e f @Ann g");
});

test("no text takes long to read", () => {
  for (const hard of ["*".repeat(16_000), "_a ".repeat(5_000), "[".repeat(16_000), "**a".repeat(5_000), "```\n".repeat(3_999)]) {
    const began = performance.now();
    parse(hard, ["Ann"]);
    expect(performance.now() - began).toBeLessThan(1_500);
  }
});
