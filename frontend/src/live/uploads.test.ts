import { expect, test } from "vitest";
import { ApiError } from "../api/errors";
import type { WholeDocument } from "../api/knowledge";
import { settle } from "../sync/testing";
import { Uploads } from "./uploads";

const PLACING = { visibility: "private", channel_id: null, folder_id: null } as const;

interface Sent {
  name: string;
  finish: () => void;
  fail: (error: Error) => void;
  progress: (part: number) => void;
  cancelled: boolean;
}

function uploading() {
  const sent: Sent[] = [];
  const uploads = new Uploads((file, _, progress) => {
    const one: Partial<Sent> = { name: file.name, progress, cancelled: false };
    const done = new Promise<WholeDocument>((resolve, reject) => {
      one.finish = () => resolve({ id: `d-${file.name}` } as WholeDocument);
      one.fail = reject;
    });
    sent.push(one as Sent);
    return {
      done,
      cancel: () => {
        one.cancelled = true;
        one.fail?.(new ApiError(0, { code: "cancelled", message: "Cancelled." }));
      },
    };
  });
  const shown = () => uploads.state.get().uploads.map((one) => `${one.name} ${one.status}`);
  return { uploads, sent, shown };
}

const files = (...names: string[]) => names.map((name) => new File(["x"], name));

test("two files are sent at once, the others wait for their turn", async () => {
  const { uploads, sent, shown } = uploading();
  uploads.add(files("a", "b", "c"), PLACING);
  expect(shown()).toEqual(["a sending", "b sending", "c waiting"]);
  sent[0]?.progress(0.5);
  expect(uploads.state.get().uploads[0]?.progress).toBe(0.5);
  sent[0]?.finish();
  await settle();
  expect(shown()).toEqual(["a done", "b sending", "c sending"]);
  expect(uploads.state.get().uploads[0]?.documentId).toBe("d-a");
});

test("a refusal says why, and only what may work later is tried again", async () => {
  const { uploads, sent, shown } = uploading();
  uploads.add(files("a", "b"), PLACING);
  sent[0]?.fail(new ApiError(422, { code: "file_kind", message: "Such files cannot be read." }));
  sent[1]?.fail(new ApiError(503, { code: "unavailable", message: "Away." }));
  await settle();
  expect(uploads.state.get().uploads.map((one) => one.problem)).toEqual(["Such files cannot be read.", "Away."]);
  expect([uploads.repeatable("upload-1"), uploads.repeatable("upload-2")]).toEqual([false, true]);
  uploads.again("upload-2");
  expect(shown()).toEqual(["a failed", "b sending"]);
});

test("a file that is taken away leaves the wire, and the next one goes", async () => {
  const { uploads, sent, shown } = uploading();
  uploads.add(files("a", "b", "c"), PLACING);
  uploads.drop("upload-1");
  await settle();
  expect(sent[0]?.cancelled).toBe(true);
  expect(shown()).toEqual(["b sending", "c sending"]);
});
