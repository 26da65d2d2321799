/** What of a channel a path names: a thread, and the message one comes for. */

export interface Target {
  /** The message's place in its channel. */
  seq: number;
  /** Another number for another visit, so that the same message can be come for again. */
  visit: number;
}

export interface Where {
  rootId: string | null;
  seq: number | null;
}

/** Read the rest of a channel's path: `t/ROOT`, `m/SEQ`, or the one after the other. */
export function whereIn(rest: string | undefined): Where {
  const [, root, seq] = /^(?:t\/([^/]+)\/?)?(?:m\/(\d{1,15}))?$/.exec(rest ?? "") ?? [];
  return { rootId: root ?? null, seq: seq === undefined ? null : Number(seq) };
}
