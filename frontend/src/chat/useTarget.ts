/** Brings the message one came for on screen: loads back to it, and says when it is there. */
import { useEffect, useMemo } from "react";
import { useHistoryState } from "wouter/use-browser-location";
import { useWorkspace } from "../shell/context";
import { useLookBack } from "./useLookBack";
import type { Target } from "./where";

/** Some 2,000 messages; one that is older still is left where it is. */
const LOOK_BACK = 40;

export function useTarget(seq: number | null): Target | null {
  const visit = useHistoryState<{ visit?: number } | null>()?.visit ?? 0;
  return useMemo(() => (seq === null ? null : { seq, visit }), [seq, visit]);
}

export interface Reach {
  /** Null also where the message is too old to be looked for. */
  target: Target | null;
  /** The channel is loaded back to it. */
  reached: boolean;
}

/** Load the channel back to the message one came for. */
export function useReach(channelId: string, target: Target | null): Reach {
  const log = useWorkspace().engine.log(channelId);
  const missing = Boolean(target && log?.loaded && log.older && log.oldest > target.seq);
  const { exhausted, look } = useLookBack(channelId, missing, LOOK_BACK);
  useEffect(look, [look, target]);
  return { target: missing && exhausted ? null : target, reached: Boolean(log?.loaded) && !missing };
}
