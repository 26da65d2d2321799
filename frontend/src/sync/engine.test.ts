import { describe, expect, test } from "vitest";
import { answer, message, page, settle, World } from "./testing";

describe("events", () => {
  test("the next event is applied and moves the cursor", async () => {
    const world = await World.opened(2);
    world.arrive(3);
    expect(world.cursor()).toBe(3);
    expect(world.texts()).toEqual(["text 1", "text 2", "text 3"]);
    expect(world.fresh).toEqual([3]);
  });

  test("events out of order are held until the one between arrives, and no sync is needed then", async () => {
    const world = await World.opened(2);
    world.arrive(4);
    expect(world.texts()).toEqual(["text 1", "text 2"]);
    world.arrive(3);
    expect(world.cursor()).toBe(4);
    expect(world.texts()).toEqual(["text 1", "text 2", "text 3", "text 4"]);
  });

  test("a gap that stays is synced after a second and jitter, from the cursor that is held", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ heads: { c: 4 }, changes: { c: [message(3), message(4)] } }));
    world.arrive(4);
    expect(world.waits).toEqual([1_250]);
    await world.pass(999);
    expect(world.requests).toEqual([]);
    await world.pass(300);
    expect(world.requests).toEqual([{ cursors: { c: 2 }, epoch: "e1" }]);
    expect(world.texts()).toHaveLength(4);
    expect(world.cursor()).toBe(4);
  });

  test("the same event twice changes nothing", async () => {
    const world = await World.opened(2);
    world.arrive(3);
    world.arrive(3);
    expect(world.cursor()).toBe(3);
    expect(world.fresh).toEqual([3]);
  });

  test("a message is never replaced by an earlier state of it", async () => {
    const world = await World.opened(2);
    world.engine.put(message(2, { changed_seq: 5, text: "edited last" }));
    world.arrive(3, { id: "m2", seq: 2, text: "edited first" });
    expect(world.texts()).toEqual(["text 1", "edited last"]);
    expect(world.cursor()).toBe(3);
  });

  test("an edit of a message is not news", async () => {
    const world = await World.opened(2);
    world.arrive(3, { id: "m1", seq: 1, text: "edited" });
    expect(world.texts()).toEqual(["edited", "text 2"]);
    expect(world.fresh).toEqual([]);
  });

  test("an answer to my own call shows at once and moves no cursor", async () => {
    const world = await World.opened(2);
    world.engine.put(message(4));
    expect(world.cursor()).toBe(2);
    expect(world.texts()).toContain("text 4");
    world.arrive(3);
    world.arrive(4);
    expect(world.cursor()).toBe(4);
    expect(world.texts()).toHaveLength(4);
  });

  test("events that come while the first page loads are kept and applied after it", async () => {
    const world = new World();
    world.pages.push(page([1, 2], 2));
    const opening = world.engine.open("c");
    world.arrive(2, { text: "the event is not newer" });
    world.arrive(3);
    await opening;
    expect(world.cursor()).toBe(3);
    expect(world.texts()).toEqual(["text 1", "text 2", "text 3"]);
  });

  test("a message older than the loaded window is kept but leaves no hole on screen", async () => {
    const world = new World();
    world.pages.push(page([50, 51], 51, true));
    await world.engine.open("c");
    world.arrive(52, { id: "m7", seq: 7, text: "old and edited" });
    expect(world.texts()).toEqual(["text 50", "text 51"]);
    expect(world.engine.log("c")?.get("m7")?.text).toBe("old and edited");
  });
});

describe("channels that were never opened", () => {
  test("the next posting counts as news without loading anything", () => {
    const world = new World();
    world.heads.set("c", 4);
    world.arrive(5);
    expect(world.fresh).toEqual([5]);
    expect(world.heads.get("c")).toBe(5);
    expect(world.refreshes).toBe(0);
  });

  test("a gap makes the channel list be fetched again", async () => {
    const world = new World();
    world.heads.set("c", 4);
    world.arrive(7);
    await world.pass(1_500);
    expect(world.refreshes).toBe(1);
  });

  test("an event that the list already counted is not counted again", async () => {
    const world = new World();
    world.heads.set("c", 9);
    world.arrive(8);
    await world.pass(1_500);
    expect(world.fresh).toEqual([]);
    expect(world.refreshes).toBe(0);
  });
});

describe("heads", () => {
  test("a head above the cursor leads to a sync after a moment", async () => {
    const world = await World.opened(2);
    world.engine.heads("e1", { c: 3 });
    expect(world.requests).toHaveLength(0);
    world.answers.push(answer({ heads: { c: 3 }, changes: { c: [message(3)] } }));
    await world.pass(1_500);
    expect(world.cursor()).toBe(3);
  });

  test("a head that is known asks for nothing", async () => {
    const world = await World.opened(2);
    world.engine.heads("e1", { c: 2 });
    expect(world.waits).toEqual([]);
  });
});

describe("sync", () => {
  test("without more the cursor goes to the head, which also covers changes that came collapsed", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ heads: { c: 9 }, changes: { c: [message(2, { changed_seq: 8, text: "edited" })] } }));
    await world.engine.sync();
    expect(world.cursor()).toBe(9);
    expect(world.texts()).toEqual(["text 1", "edited"]);
  });

  test("with more the cursor goes to the last row only, and the rest is asked for at once", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ heads: { c: 5 }, changes: { c: [message(3)] }, more: ["c"] }));
    world.answers.push(answer({ heads: { c: 5 }, changes: { c: [message(4), message(5)] } }));
    await world.engine.sync();
    expect(world.requests.map((request) => request.cursors)).toEqual([{ c: 2 }, { c: 3 }]);
    expect(world.cursor()).toBe(5);
  });

  test("a promise of more without rows neither moves the cursor nor spins", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ heads: { c: 5 }, more: ["c"] }));
    await world.engine.sync();
    expect(world.cursor()).toBe(2);
    expect(world.requests).toHaveLength(1);
    expect(world.waits).toHaveLength(1);
  });

  test("a cursor never goes back", async () => {
    const world = await World.opened(5);
    world.answers.push(answer({ heads: { c: 3 } }));
    await world.engine.sync();
    expect(world.cursor()).toBe(5);
  });

  test("events held above the answer are applied once it fills the gap", async () => {
    const world = await World.opened(2);
    world.arrive(5);
    world.answers.push(answer({ heads: { c: 4 }, changes: { c: [message(3), message(4)] } }));
    await world.engine.sync();
    expect(world.cursor()).toBe(5);
    expect(world.texts()).toHaveLength(5);
  });

  test("a reset drops the channel, and loads it again where it is on screen", async () => {
    const world = await World.opened(2);
    world.engine.watch("c");
    world.answers.push(answer({ reset: ["c"] }));
    world.pages.push(page([1], 1));
    await world.engine.sync();
    await settle();
    expect(world.texts()).toEqual(["text 1"]);
    expect(world.cursor()).toBe(1);
  });

  test("a reset of a channel that is not on screen only drops it", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ reset: ["c"] }));
    await world.engine.sync();
    expect(world.engine.log("c")).toBeUndefined();
    expect(world.pageCalls).toBe(1);
  });

  test("a channel I may no longer see goes away", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ gone: ["c"] }));
    await world.engine.sync();
    expect(world.gone).toEqual(["c"]);
    expect(world.engine.log("c")).toBeUndefined();
  });

  test("another epoch drops everything and loads it again", async () => {
    const world = await World.opened(5);
    world.engine.watch("c");
    world.answers.push(answer({ epoch: "e2", heads: { c: 1 }, changes: {} }));
    world.pages.push(page([1], 1));
    await world.engine.sync();
    await settle();
    expect(world.engine.epoch).toBe("e2");
    expect(world.cursor()).toBe(1);
    expect(world.refreshes).toBe(1);
  });

  test("a failed sync is tried again later, and later still", async () => {
    const world = await World.opened(2);
    world.answers.push(new Error("timeout"), new Error("timeout"));
    await world.engine.sync();
    expect(world.waits).toEqual([1_000]);
    await world.pass(1_000);
    expect(world.waits).toEqual([2_000]);
    await world.pass(2_000);
    expect(world.requests).toHaveLength(3);
    expect(world.waits).toEqual([]);
  });

  test("calls while one is under way share it and ask once more", async () => {
    const world = await World.opened(2);
    await Promise.all([world.engine.sync(), world.engine.sync(), world.engine.sync()]);
    expect(world.requests).toHaveLength(2);
  });
});

describe("a new connection", () => {
  test("hello fetches the channels and then syncs", async () => {
    const world = await World.opened(2);
    world.answers.push(answer({ heads: { c: 3 }, changes: { c: [message(3)] } }));
    await world.engine.hello({ epoch: "e1", heads: { c: 3 } });
    expect(world.refreshes).toBe(1);
    expect(world.cursor()).toBe(3);
  });

  test("messages come although the channel list cannot be fetched", async () => {
    const world = await World.opened(2);
    world.refreshFails = true;
    world.answers.push(answer({ heads: { c: 3 }, changes: { c: [message(3)] } }));
    await world.engine.hello({ epoch: "e1", heads: {} });
    expect(world.cursor()).toBe(3);
  });

  test("resync waits a random moment, so that an instance's clients do not come all at once", async () => {
    const world = await World.opened(2);
    world.engine.resync();
    expect(world.requests).toHaveLength(0);
    await world.pass(1_000);
    expect(world.requests).toHaveLength(1);
  });
});
