import { expect, test } from "vitest";
import { page, World } from "./testing";

test("older pages extend the window until the beginning", async () => {
  const world = new World();
  world.pages.push(page([3, 4], 4, true), page([1, 2], 4));
  await world.engine.open("c");
  expect(await world.engine.older("c")).toBe(true);
  expect(world.texts()).toHaveLength(4);
  expect(await world.engine.older("c")).toBe(false);
  expect(world.pageCalls).toBe(2);
});

test("an older page does not undo an edit that was seen before it came", async () => {
  const world = new World();
  world.pages.push(page([3], 3, true), page([1, 2], 3));
  await world.engine.open("c");
  world.arrive(4, { id: "m2", seq: 2, text: "edited" });
  await world.engine.older("c");
  expect(world.texts()).toEqual(["text 1", "edited", "text 3"]);
});

test("a page that was asked for before a reset is thrown away", async () => {
  const world = new World();
  world.pages.push(page([3], 3, true), page([1, 2], 3));
  await world.engine.open("c");
  const older = world.engine.older("c");
  world.engine.drop("c");
  expect(await older).toBe(false);
  expect(world.engine.log("c")).toBeUndefined();
});

test("a first page that fails can be asked for again", async () => {
  const world = new World();
  await expect(world.engine.open("c")).rejects.toThrow("no page");
  world.pages.push(page([1], 1));
  await world.engine.open("c");
  expect(world.texts()).toEqual(["text 1"]);
});
