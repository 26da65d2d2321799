import { expect, test } from "vitest";
import { applyTool, continueList, type Selected } from "./editing";

/** `[` and `]` show the selection, `|` a cursor. */
function on(shown: string): Selected {
  const text = shown.replace(/[\u27e6\u27e7|]/g, "");
  const start = shown.search(/[\u27e6|]/);
  const end = shown.indexOf("\u27e7");
  return { text, start, end: end < 0 ? start : end - 1 };
}

function shown({ text, start, end }: Selected): string {
  return start === end ? `${text.slice(0, start)}|${text.slice(start)}` : `${text.slice(0, start)}⟦${text.slice(start, end)}⟧${text.slice(end)}`;
}

test("bold goes around the selection and away again", () => {
  const bold = applyTool("bold", on("a ⟦word⟧ b"));
  expect(shown(bold)).toBe("a **⟦word⟧** b");
  expect(shown(applyTool("bold", bold))).toBe("a ⟦word⟧ b");
  expect(shown(applyTool("italic", bold))).toBe("a ***⟦word⟧*** b");
});

test("a list goes before each line, in place of another mark", () => {
  expect(applyTool("list", on("x\n⟦a\n> b⟧\nc")).text).toBe("x\n- a\n- b\nc");
  expect(applyTool("numbers", on("⟦- a\n- b⟧")).text).toBe("1. a\n2. b");
  expect(applyTool("numbers", on("⟦1. a\n2. b⟧")).text).toBe("a\nb");
});

test("headings go around", () => {
  const one = applyTool("heading", on("|a"));
  expect(one.text).toBe("## a");
  expect(applyTool("heading", one).text).toBe("### a");
  expect(applyTool("heading", applyTool("heading", one)).text).toBe("a");
});

test("an address becomes a link that wants a title", () => {
  expect(shown(applyTool("link", on("⟦https://a.example/x⟧")))).toBe("[⟦title⟧](https://a.example/x)");
  expect(shown(applyTool("link", on("see ⟦this⟧")))).toBe("see [this](⟦https://⟧)");
});

test("Enter goes on with a list, and ends it at an empty item", () => {
  const after = (text: string) => continueList(on(text))?.text;
  expect(after("- a|")).toBe("- a\n- ");
  expect(after("  9. a|")).toBe("  9. a\n  10. ");
  expect(after("- [x] a|")).toBe("- [x] a\n- [ ] ");
  expect(after("- a\n- |")).toBe("- a\n");
  expect(after("a|")).toBeUndefined();
});
