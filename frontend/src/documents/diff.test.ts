import { expect, test } from "vitest";
import { compare, type Difference } from "./diff";

function sides({ hunks }: Difference): { before: string; after: string } {
  const text = (side: "added" | "removed") =>
    hunks.flatMap((hunk) => (hunk.kind === "changed" ? hunk.parts.filter((part) => part.kind === "same" || part.kind === side) : []))
      .map((part) => part.text)
      .join("");
  return { before: text("removed"), after: text("added") };
}

test("a changed word is the only thing marked", () => {
  const { hunks, added, removed } = compare("The old house.", "The new house.");
  expect(hunks).toEqual([
    {
      kind: "changed",
      parts: [
        { kind: "same", text: "The " },
        { kind: "removed", text: "old" },
        { kind: "added", text: "new" },
        { kind: "same", text: " house." },
      ],
    },
  ]);
  expect({ added, removed }).toEqual({ added: 1, removed: 1 });
});

test("lines far from a change are counted, near ones are shown", () => {
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  const { hunks } = compare(lines.join("\n"), lines.map((line) => (line === "line 10" ? "line ten" : line)).join("\n"));
  expect(hunks.map((hunk) => (hunk.kind === "skipped" ? hunk.count : hunk.kind))).toEqual([8, "same", "changed", "same", 7]);
});

test("both sides of the changed lines can be read back", () => {
  const found = compare("a\nb c d\ne", "a\nb x d\ny\ne");
  expect(sides(found)).toEqual({ before: "b c d", after: "b x d\ny" });
});

test("texts that are the same have no changes", () => {
  expect(compare("a\nb", "a\nb")).toMatchObject({ added: 0, removed: 0, hunks: [{ kind: "skipped", count: 2 }] });
});

test("lines that only one side has are whole", () => {
  expect(compare("a", "a\nb c").hunks.at(-1)).toEqual({ kind: "changed", parts: [{ kind: "added", text: "b c" }] });
  expect(compare("", "b").hunks).toEqual([{ kind: "changed", parts: [{ kind: "added", text: "b" }] }]);
});

test("texts that have nothing in common do not keep anybody waiting", () => {
  const words = (from: number) => Array.from({ length: 30_000 }, (_, at) => `w${from + at * 7919}`).join(" ");
  const began = performance.now();
  const found = compare(words(1), words(3));
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(found.added).toBeGreaterThan(1_000);
});
