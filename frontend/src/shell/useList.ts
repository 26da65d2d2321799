/** A list of the server's for a page: read when it opens, and where that is wanted again and again. */
import { useEffect, useMemo, useRef } from "react";
import { List, type ListState } from "../live/list";
import { Poller } from "../live/poller";
import { useStore } from "../live/store";
import type { Pages } from "../sync/paging";

const EVERY_MS = 10_000;
const REST_MS = 1_000;

interface Listed<T extends { id: string }> extends ListState<T> {
  list: List<T>;
}

/**
 * Read a list by `load`, a stable function; another one is another list.
 *
 * With `news` it is read every 10 s, and soon after that is another number, while somebody looks at the page.
 */
export function useList<T extends { id: string }>(
  load: (cursor: string | null, limit: number) => Promise<Pages<T>>,
  news: number | null = null,
): Listed<T> {
  const list = useMemo(() => new List(load), [load]);
  const state = useStore(list.state, whole);
  const poller = useRef<Poller | null>(null);
  const polled = news !== null;
  useEffect(() => {
    if (!polled) {
      void list.refresh();
      return undefined;
    }
    const asleep = () => document.visibilityState === "hidden";
    const made = new Poller({ work: list.refresh, asleep }, EVERY_MS, REST_MS);
    poller.current = made;
    made.nudge();
    document.addEventListener("visibilitychange", made.nudge);
    return () => {
      document.removeEventListener("visibilitychange", made.nudge);
      made.stop();
    };
  }, [list, polled]);
  useEffect(() => poller.current?.nudge(), [news]);
  return { list, ...state };
}

function whole<T>(state: ListState<T>): ListState<T> {
  return state;
}
