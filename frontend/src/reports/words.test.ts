import { expect, test } from "vitest";
import { local, statusWords } from "./words";

test("a failed export says why, where the server does", () => {
  const error = { code: "too_large", message: "The channel has too many messages for a PDF." };
  expect(statusWords({ status: "failed", error }, "pdf")).toBe(`The PDF export failed. ${error.message}`);
  expect(statusWords({ status: "failed" }, "csv")).toBe("The CSV export failed.");
});

test("a download leads to our own origin only", () => {
  const here = "https://dashify.example";
  expect(local("/api/v1/jobs/7/result", here)).toBe("/api/v1/jobs/7/result");
  expect(local("https://elsewhere.example/x", here)).toBe("#");
  expect(local("javascript:alert(1)", here)).toBe("#");
});
