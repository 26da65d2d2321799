/** What every row of a pane needs, as one value that stays the same while nothing in it changes. */
import { useMemo } from "react";
import { ASSISTANT_ID } from "../assistant/words";
import { useLive } from "../shell/context";
import { pickMe, pickPeople, pickPresence } from "../shell/pick";
import type { Actions } from "./actions";
import type { RowContext } from "./MessageRow";

export function useRowContext(actions: Actions, inThread: boolean): RowContext {
  const me = useLive(pickMe);
  const people = useLive(pickPeople);
  const presence = useLive(pickPresence);
  const names = useMemo(
    () => [...new Set([me.name, ASSISTANT_ID, ...Object.values(people).map((one) => one.name)])],
    [me.name, people],
  );
  return useMemo(
    () => ({ me, people, names, presence, actions, inThread }),
    [me, people, names, presence, actions, inThread],
  );
}
