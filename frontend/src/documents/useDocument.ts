/** One document as it is now: read when its page opens, and again when it changed. */
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, sentence } from "../api/errors";
import { documents, type WholeDocument, type WholeVersion } from "../api/knowledge";
import { useWorkspace } from "../shell/context";

export interface Opened {
  document: WholeDocument | null;
  /** Not there, or not for me (any more). */
  gone: boolean;
  problem: string | null;
  refresh: () => void;
  put: (document: WholeDocument) => void;
}

/** While a document is on its way into the index, its state is asked for too: an event may have been lost. */
const UNSETTLED_MS = 5_000;

export function useDocument(id: string): Opened {
  const workspace = useWorkspace();
  const [document, setDocument] = useState<WholeDocument | null>(null);
  const [gone, setGone] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const asked = useRef<AbortController | null>(null);

  const refresh = useCallback(() => {
    asked.current?.abort();
    const mine = new AbortController();
    asked.current = mine;
    documents.get(id, mine.signal).then(
      ({ document: found }) => {
        setDocument(found);
        setProblem(null);
        setGone(false);
      },
      (error: unknown) => {
        if (mine.signal.aborted) return;
        if (error instanceof ApiError && error.status === 404) setGone(true);
        else setProblem(sentence(error));
      },
    );
  }, [id]);
  useEffect(() => {
    refresh();
    return () => asked.current?.abort();
  }, [refresh]);
  useEffect(
    () =>
      workspace.documents.follow((changed, now) => {
        if (changed !== null && changed !== id) return;
        // What only says how far the index is brings no text along that is not here.
        if (now) setDocument((before) => (before && before.version === now.version ? { ...before, ...now } : before));
        refresh();
      }),
    [workspace, id, refresh],
  );
  const unsettled = document?.status === "queued" || document?.status === "indexing";
  useEffect(() => {
    if (!unsettled) return undefined;
    const timer = setInterval(refresh, UNSETTLED_MS);
    return () => clearInterval(timer);
  }, [unsettled, refresh]);

  const put = useCallback((found: WholeDocument) => {
    asked.current?.abort();
    setDocument(found);
  }, []);
  return { document, gone, problem, refresh, put };
}

/** One version; null while it is on its way. */
export function useVersion(id: string, number: number | null): { version: WholeVersion | null; problem: string | null } {
  const [found, setFound] = useState<{ version: WholeVersion | null; problem: string | null }>({ version: null, problem: null });
  useEffect(() => {
    setFound({ version: null, problem: null });
    if (number === null) return undefined;
    const asked = new AbortController();
    documents.version(id, number, asked.signal).then(
      ({ version }) => setFound({ version, problem: null }),
      (error: unknown) => {
        if (!asked.signal.aborted) setFound({ version: null, problem: sentence(error) });
      },
    );
    return () => asked.abort();
  }, [id, number]);
  return found;
}
