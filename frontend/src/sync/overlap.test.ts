/** What happens when two things are under way at once: a page, a sync, a new connection. */
import { expect, test } from "vitest";
import type { MessagePage, SyncAnswer } from "../api/types";
import { SyncEngine } from "./engine";
import type { Ports } from "./ports";
import { answer, message, page, settle, World } from "./testing";

function held<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** An engine whose answers come when the test says so. */
function slow(ports: Partial<Ports> = {}) {
  const syncs: ReturnType<typeof held<SyncAnswer>>[] = [];
  const pages: ReturnType<typeof held<MessagePage>>[] = [];
  const timers: (() => void)[] = [];
  const next = <T>(list: ReturnType<typeof held<T>>[]) => {
    const one = held<T>();
    list.push(one);
    return one.promise;
  };
  const engine = new SyncEngine({
    sync: () => next(syncs),
    page: () => next(pages),
    refreshChannels: () => Promise.resolve(),
    changed: () => undefined,
    gone: () => undefined,
    knownHead: () => null,
    setTimer: (run) => timers.push(run),
    clearTimer: () => undefined,
    random: () => 0.5,
    ...ports,
  });
  return { engine, syncs, pages, timers };
}

test("a sync that did not ask for a channel moves no cursor of it, although its head is told", async () => {
  const { engine, syncs, pages, timers } = slow();
  void engine.sync();
  void engine.open("c");
  pages[0]?.resolve(page([1, 2], 2));
  await settle();
  syncs[0]?.resolve(answer({ heads: { c: 4 } }));
  await settle();
  expect(engine.log("c")?.cursor).toBe(2);
  timers.at(-1)?.();
  syncs[1]?.resolve(answer({ heads: { c: 4 }, changes: { c: [message(3), message(4)] } }));
  await settle();
  expect(engine.log("c")?.list()).toHaveLength(4);
});

test("a channel that was loaded anew while a sync was under way is left to the next sync", async () => {
  const { engine, syncs, pages } = slow();
  void engine.open("c");
  pages[0]?.resolve(page([1, 2], 2));
  await settle();
  void engine.sync();
  engine.forget("c");
  void engine.open("c");
  pages[1]?.resolve(page([1], 1));
  await settle();
  syncs[0]?.resolve(answer({ heads: { c: 5 }, changes: { c: [message(3), message(4), message(5)] } }));
  await settle();
  expect(engine.log("c")?.cursor).toBe(1);
});

test("a sync that a new connection asks for does not wait behind one that failed with the old", async () => {
  const { engine, syncs } = slow();
  void engine.sync();
  void engine.hello({ epoch: "e1", heads: {} });
  syncs[0]?.reject(new Error("the connection broke"));
  await settle();
  expect(syncs).toHaveLength(2);
});

test("a sync that became needless while it waited is not asked for", async () => {
  const world = await World.opened(2);
  world.arrive(4);
  world.arrive(3);
  world.engine.heads("e1", { c: 5 });
  world.arrive(5);
  await world.pass(2_000);
  expect(world.cursor()).toBe(5);
  expect(world.requests).toEqual([]);
});

test("an event that nothing ever explains is asked about less and less often", async () => {
  const world = await World.opened(2);
  world.arrive(9);
  for (let turn = 0; turn < 60; turn += 1) await world.pass(1_000);
  expect(world.requests.length).toBeGreaterThan(2);
  expect(world.requests.length).toBeLessThan(9);
});

test("what was posted while the first page loaded is news, where the list did not count it", async () => {
  const world = new World();
  world.heads.set("c", 2);
  world.pages.push(page([1, 2, 3], 3));
  const opening = world.engine.open("c");
  world.arrive(3);
  await opening;
  expect(world.fresh).toEqual([3]);
});

test("a channel on screen that could not be loaded after a reset is asked for until it comes", async () => {
  const world = await World.opened(2);
  world.engine.watch("c");
  world.answers.push(answer({ reset: ["c"] }));
  await world.engine.sync();
  await settle();
  expect(world.engine.log("c")).toBeUndefined();
  world.pages.push(page([1], 1));
  await world.pass(2_000);
  expect(world.texts()).toEqual(["text 1"]);
});

test("a channel on screen whose first page failed comes with the next connection", async () => {
  const world = new World();
  world.engine.watch("c");
  await expect(world.engine.open("c")).rejects.toThrow("no page");
  world.pages.push(page([1], 1));
  await world.engine.hello({ epoch: "e1", heads: {} });
  await settle();
  expect(world.texts()).toEqual(["text 1"]);
});
