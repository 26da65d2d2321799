import { expect, test } from "vitest";
import { ApiError } from "../api/errors";
import { browserZone } from "../people/zones";
import { withZone } from "./zoned";

const invalid = (field: string) => new ApiError(400, { code: "invalid", message: "No.", details: [{ field, problem: "bad" }] });

function server(failures: ApiError[]) {
  const bodies: unknown[] = [];
  const send = (body: unknown) => {
    bodies.push(body);
    const failure = failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve("in");
  };
  return { bodies, send };
}

test("who enters brings the browser's time zone", async () => {
  const { bodies, send } = server([]);
  expect(await withZone({ name: "Alice" }, send)).toBe("in");
  expect(bodies).toEqual([{ name: "Alice", time_zone: browserZone() }]);
});

test("a server that does not take the zone lets people in without it", async () => {
  const { bodies, send } = server([invalid("time_zone")]);
  expect(await withZone({ name: "Alice" }, send)).toBe("in");
  expect(bodies[1]).toEqual({ name: "Alice" });
});

test("another problem is told, and nothing is sent twice", async () => {
  const { bodies, send } = server([invalid("name")]);
  await expect(withZone({ name: "" }, send)).rejects.toThrow("No.");
  expect(bodies).toHaveLength(1);
});
