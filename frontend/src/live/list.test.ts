import { expect, test } from "vitest";
import { ApiError } from "../api/errors";
import type { Pages } from "../sync/paging";
import { List } from "./list";

interface Row {
  id: string;
}

const page = (ids: string, next: string | null = null): Pages<Row> => ({ rows: [...ids].map((id) => ({ id })), next });

function list(...answers: (Pages<Row> | ApiError)[]) {
  const asked: [string | null, number][] = [];
  const made = new List<Row>(async (cursor, limit) => {
    asked.push([cursor, limit]);
    const answer = answers.shift();
    if (answer === undefined || answer instanceof ApiError) throw answer ?? new Error("asked too often");
    return answer;
  });
  const shown = () => made.state.get().pages?.rows.map((row) => row.id).join("");
  return { list: made, asked, shown };
}

test("older ones follow by cursor, and a second press loads nothing twice", async () => {
  const { list: rows, asked, shown } = list(page("dc", "c"), page("ba"));
  await rows.refresh();
  await Promise.all([rows.more(), rows.more()]);
  await rows.more();
  expect(shown()).toBe("dcba");
  expect(asked).toEqual([[null, 50], ["c", 50]]);
});

test("a reading that fails says why, and leaves what was there", async () => {
  const away = new ApiError(503, { code: "unavailable", message: "Away." });
  const { list: rows, shown } = list(page("ba"), away, page("cba"));
  await rows.refresh();
  await rows.refresh();
  expect(shown()).toBe("ba");
  expect(rows.state.get().problem).toBe("Away.");
  await rows.refresh();
  expect(shown()).toBe("cba");
  expect(rows.state.get().problem).toBe(null);
});

test("a first reading that fails leaves nothing but the reason", async () => {
  const { list: rows } = list(new ApiError(403, { code: "forbidden", message: "Not yours." }));
  await rows.refresh();
  expect(rows.state.get()).toEqual({ pages: null, problem: "Not yours.", loading: false });
});
