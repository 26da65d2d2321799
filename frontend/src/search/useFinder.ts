/** One search for a component. */
import { useEffect, useMemo } from "react";
import { search } from "../api/knowledge";
import { useStore } from "../live/store";
import { Finder, type FinderState } from "./finder";

const whole = (state: FinderState) => state;

export function useFinder(limit: number): { finder: Finder; state: FinderState } {
  const finder = useMemo(
    () =>
      new Finder(
        {
          find: (query, kind, cursor, most, signal) => search.find(query, kind, cursor, most, signal),
          setTimer: (run, ms) => setTimeout(run, ms),
          clearTimer: (timer) => clearTimeout(timer as number),
        },
        limit,
      ),
    [limit],
  );
  useEffect(() => () => finder.stop(), [finder]);
  return { finder, state: useStore(finder.state, whole) };
}
