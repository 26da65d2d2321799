import { expect, test } from "vitest";
import { oneAtATime } from "./shared";
import { settle } from "./testing";

function scripted() {
  const ends: ((error?: Error) => void)[] = [];
  const work = oneAtATime(
    () => new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve()))),
  );
  return { ends, work };
}

test("those who ask while work is under way share one more run after it", async () => {
  const { ends, work } = scripted();
  const first = work();
  const later = [work(), work()];
  await settle();
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await first;
  await settle();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await Promise.all(later);
  expect(ends).toHaveLength(2);
});

test("a failure reaches those who asked for that run, and the next is tried all the same", async () => {
  const { ends, work } = scripted();
  const first = expect(work()).rejects.toThrow("away");
  const second = work();
  ends[0]?.(new Error("away"));
  await first;
  await settle();
  ends[1]?.();
  await second;
});
