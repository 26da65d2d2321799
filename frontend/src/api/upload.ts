/** A file on its way to the server, with how far it is: `fetch` does not tell that. */
import { ApiError, errorFrom } from "./errors";
import { csrfToken } from "./http";
import type { Placing, WholeDocument } from "./knowledge";

/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 60_000;

export interface Sending {
  done: Promise<WholeDocument>;
  cancel: () => void;
}

/** Upload one file as a document; `progress` hears 0 to 1. `done` rejects with ApiError, `cancelled` among them. */
export function upload(file: File, placing: Placing, progress: (part: number) => void): Sending {
  const request = new XMLHttpRequest();
  const form = new FormData();
  for (const [name, value] of Object.entries(placing) as [string, string | null][]) if (value !== null) form.set(name, value);
  // Fields go before the file, so that whoever reads the form as a stream knows them by then.
  form.set("file", file, file.name);
  const done = new Promise<WholeDocument>((resolve, reject) => {
    let silence = setTimeout(() => undefined, 0);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        fail("timeout", "That took too long. Try again.");
        request.abort();
      }, SILENCE_MS);
    };
    const fail = (code: string, message: string) => {
      clearTimeout(silence);
      reject(new ApiError(0, { code, message }));
    };
    request.upload.addEventListener("progress", (event) => {
      heard();
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("error", () => fail("offline", "Dashify cannot be reached."));
    request.addEventListener("abort", () => fail("cancelled", "Cancelled."));
    request.addEventListener("load", () => {
      clearTimeout(silence);
      const body = parse(request.responseText);
      if (request.status === 201) resolve((body as { document: WholeDocument }).document);
      else reject(errorFrom(request.status, body, Number(request.getResponseHeader("Retry-After")) || null));
    });
    request.open("POST", "/api/v1/documents");
    request.setRequestHeader("Accept", "application/json");
    const token = csrfToken(document.cookie);
    if (token) request.setRequestHeader("X-CSRF-Token", token);
    heard();
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
