/** Loads a channel's past, page by page, until it holds what one came for. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useWorkspace } from "../shell/context";

export interface LookBack {
  looking: boolean;
  /** It was not in all those pages, or one of them could not be loaded. */
  exhausted: boolean;
  /** Go on for as many pages more. */
  look: () => void;
}

/** Load older pages while something is `missing`, at most `pages` of them. */
export function useLookBack(channelId: string, missing: boolean, pages: number): LookBack {
  const workspace = useWorkspace();
  const [looking, setLooking] = useState(false);
  const [left, setLeft] = useState(pages);
  const busy = useRef(false);
  useEffect(() => {
    if (!missing || left <= 0 || busy.current) return;
    busy.current = true;
    setLooking(true);
    const free = (worked: boolean) => {
      busy.current = false;
      setLooking(false);
      setLeft((before) => (worked ? before - 1 : 0));
    };
    workspace.engine.older(channelId).then(free, () => free(false));
  }, [workspace, channelId, missing, left]);
  const look = useCallback(() => setLeft(pages), [pages]);
  return { looking, exhausted: left <= 0 && !looking, look };
}
