import { describe, expect, test } from "vitest";
import { ApiError } from "../api/errors";
import type { Message } from "../api/types";
import { Outbox, type Outgoing } from "./outbox";
import { message, settle } from "./testing";

const away = () => new ApiError(503, { code: "unavailable", message: "Away." });
const refused = () => new ApiError(409, { code: "client_id_reused", message: "Used before." });

class Desk {
  readonly calls: Outgoing[] = [];
  readonly outcomes: (Error | null)[] = [];
  readonly sent: Message[] = [];
  readonly pauses: number[] = [];
  items: readonly Outgoing[] = [];
  now = Date.parse("2026-01-02T03:04:05Z");
  hold: Promise<void> | null = null;

  constructor(readonly shelf = new Map<string, string>()) {}

  readonly outbox = new Outbox({
    send: async (item) => {
      this.calls.push(item);
      if (this.hold) await this.hold;
      const outcome = this.outcomes.shift();
      if (outcome) throw outcome;
      return message(1, { client_id: item.client_id, author_id: "me", text: item.text });
    },
    sent: (one) => this.sent.push(one),
    changed: (items) => {
      this.items = items;
    },
    shelf: {
      all: () => [...this.shelf.values()],
      put: (id, content) => this.shelf.set(id, content),
      remove: (id) => this.shelf.delete(id),
    },
    pause: (ms) => {
      this.pauses.push(ms);
      return Promise.resolve();
    },
    now: () => this.now,
  });

  write(id: string): void {
    this.outbox.add({ client_id: id, channel_id: "c", text: `text of ${id}`, thread_id: null });
  }
}

describe("sending", () => {
  test("a message that arrived leaves the outbox and the shelf", async () => {
    const desk = new Desk();
    desk.write("a");
    expect(desk.items[0]?.state).toBe("pending");
    await settle();
    expect(desk.items).toEqual([]);
    expect(desk.shelf.size).toBe(0);
    expect(desk.sent[0]?.client_id).toBe("a");
  });

  test("messages of a channel go one after the other, in the order they were written", async () => {
    const desk = new Desk();
    desk.write("a");
    desk.write("b");
    expect(desk.calls.map((one) => one.client_id)).toEqual(["a"]);
    await settle();
    expect(desk.calls.map((one) => one.client_id)).toEqual(["a", "b"]);
  });

  test("a server that is away is tried again with the same client_id", async () => {
    const desk = new Desk();
    desk.outcomes.push(away(), away(), null);
    desk.write("a");
    await settle();
    expect(desk.calls.map((one) => one.client_id)).toEqual(["a", "a", "a"]);
    expect(desk.pauses).toEqual([500, 1_000]);
    expect(desk.items).toEqual([]);
  });

  test("the wait that the server asks for is respected", async () => {
    const desk = new Desk();
    desk.outcomes.push(new ApiError(429, { code: "too_many", message: "Slow down." }, 7), null);
    desk.write("a");
    await settle();
    expect(desk.pauses).toEqual([7_000]);
  });

  test("after the last try the message fails and keeps its reason", async () => {
    const desk = new Desk();
    desk.outcomes.push(away(), away(), away(), away());
    desk.write("a");
    await settle();
    expect(desk.items).toMatchObject([{ client_id: "a", state: "failed", reason: "Away." }]);
  });

  test("a refusal fails at once", async () => {
    const desk = new Desk();
    desk.outcomes.push(refused());
    desk.write("a");
    await settle();
    expect(desk.calls).toHaveLength(1);
    expect(desk.items[0]?.state).toBe("failed");
  });

  test("a failed message does not keep the next one back", async () => {
    const desk = new Desk();
    desk.outcomes.push(refused(), null);
    desk.write("a");
    desk.write("b");
    await settle();
    expect(desk.items.map((one) => one.client_id)).toEqual(["a"]);
    expect(desk.sent).toHaveLength(1);
  });
});

describe("a failed message", () => {
  test("is retried under the same client_id", async () => {
    const desk = new Desk();
    desk.outcomes.push(refused(), null);
    desk.write("a");
    await settle();
    desk.outbox.retry("a");
    await settle();
    expect(desk.calls.map((one) => one.client_id)).toEqual(["a", "a"]);
    expect(desk.items).toEqual([]);
  });

  test("can be discarded, and stays away after a reload", async () => {
    const desk = new Desk();
    desk.outcomes.push(refused());
    desk.write("a");
    await settle();
    desk.outbox.discard("a");
    const next = new Desk(desk.shelf);
    next.outbox.restore();
    expect(next.items).toEqual([]);
  });

  test("survives a reload as failed, without being sent", async () => {
    const desk = new Desk();
    desk.outcomes.push(refused());
    desk.write("a");
    await settle();
    const next = new Desk(desk.shelf);
    next.outbox.restore();
    await settle();
    expect(next.calls).toEqual([]);
    expect(next.items).toMatchObject([{ client_id: "a", state: "failed", text: "text of a" }]);
  });
});

describe("a pending message after a reload", () => {
  test("is sent again when the page was gone for a moment only", async () => {
    const desk = new Desk();
    desk.hold = new Promise(() => undefined);
    desk.write("a");
    const next = new Desk(desk.shelf);
    next.outbox.restore();
    await settle();
    expect(next.calls.map((one) => one.client_id)).toEqual(["a"]);
  });

  test("waits for a decision when it is old", async () => {
    const desk = new Desk();
    desk.hold = new Promise(() => undefined);
    desk.write("a");
    const next = new Desk(desk.shelf);
    next.now += 10 * 60_000;
    next.outbox.restore();
    await settle();
    expect(next.calls).toEqual([]);
    expect(next.items[0]?.state).toBe("failed");
  });
});

test("an event that shows my message ends its waiting, and a late failure does not bring it back", async () => {
  const desk = new Desk();
  let open: () => void = () => undefined;
  desk.hold = new Promise((resolve) => {
    open = resolve;
  });
  desk.outcomes.push(away());
  desk.write("a");
  desk.outbox.seen(message(1, { client_id: "a", author_id: "me" }));
  expect(desk.items).toEqual([]);
  open();
  await settle();
  expect(desk.items).toEqual([]);
  expect(desk.calls).toHaveLength(1);
});

test("what is not a message on the shelf is left alone", () => {
  const desk = new Desk(new Map([["x", "{broken"], ["y", "[]"]]));
  desk.outbox.restore();
  expect(desk.items).toEqual([]);
});
