/** A thread beside its channel: the root, the replies, and a place to reply. */
import { Button, CloseButton, Loader, Text } from "@mantine/core";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { Channel } from "../api/types";
import { useChannelVersion, useLive, useWorkspace } from "../shell/context";
import { pickMe, pickOutbox } from "../shell/pick";
import { useActions } from "./actions";
import classes from "./chat.module.css";
import { Composer } from "./Composer";
import { MessageRow } from "./MessageRow";
import { isMember } from "./Place";
import { arrange, combine } from "./rows";
import { useLookBack } from "./useLookBack";
import { useRowContext } from "./useRowContext";
import { TARGET_TOP_PX } from "./useScroll";
import type { Target } from "./where";

interface Props {
  channel: Channel;
  rootId: string;
  /** The reply one came for. */
  target: Target | null;
}

/** Pages to look back for a root on our own; a thread older than that is asked for. */
const LOOK_BACK = 8;

export function Thread({ channel, rootId, target }: Props) {
  const workspace = useWorkspace();
  const version = useChannelVersion(channel.id);
  const me = useLive(pickMe);
  const outbox = useLive(pickOutbox);
  const [editing, setEditing] = useState<string | null>(null);
  const [, navigate] = useLocation();
  const context = useRowContext(useActions(channel.id, setEditing), true);
  const close = useCallback(() => navigate(`/c/${channel.id}`), [navigate, channel.id]);
  const log = workspace.engine.log(channel.id);
  const messages = useMemo(
    () => workspace.engine.log(channel.id)?.thread(rootId) ?? [],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the version says when the thread is another
    [workspace, channel.id, rootId, version],
  );
  const root = messages.find((one) => one.id === rootId);
  const missing = Boolean(log?.loaded && log.older && (!root || root.seq < log.oldest));
  // Replies travel with their channel, so a thread is complete once the channel is loaded back to its root.
  const { looking, look } = useLookBack(channel.id, missing, LOOK_BACK);
  const waiting = outbox.filter((item) => item.thread_id === rootId);
  const rows = arrange(combine(messages, waiting, me.id), null, me.id).map((row, at) => ({
    ...row,
    newDay: false,
    first: row.first || at === 1,
  }));
  const wanted = missing || !target ? undefined : rows.find((row) => row.shown.message.seq === target.seq)?.shown.key;
  const end = useEnd(rows.length, target, wanted);

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector('[role="dialog"]')) close();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [close]);

  const editLast = () => {
    const last = messages.findLast((one) => one.author_id === me.id && !one.deleted_at);
    if (last) setEditing(last.id);
  };
  return (
    <aside className={classes.thread} aria-label="Thread" data-testid="thread">
      <div className={classes.threadHead}>
        <span>Thread</span>
        <CloseButton onClick={close} aria-label="Close the thread" />
      </div>
      <div className={classes.scroll} ref={end} tabIndex={0} role="group" aria-label="Replies">
        {missing && (
          <div className={classes.more}>
            {looking ? (
              <Loader size={16} type="dots" />
            ) : (
              <Button size="xs" variant="default" onClick={look}>
                Load earlier messages
              </Button>
            )}
          </div>
        )}
        {rows.map((row) => (
          <MessageRow
            key={row.shown.key}
            row={row}
            context={context}
            editing={editing === row.shown.message.id}
            replies={0}
            root={undefined}
            target={row.shown.key === wanted}
          />
        ))}
        {rows.length <= 1 && !missing && (
          <Text size="sm" c="dimmed" px={20} py="md">
            No replies yet. Yours would be the first.
          </Text>
        )}
      </div>
      {isMember(channel) && <Composer channel={channel} threadId={rootId} editLast={editLast} />}
    </aside>
  );
}

/** Keep the newest reply in view, but show the one somebody came for first. */
function useEnd(count: number, target: Target | null, key: string | undefined) {
  const ref = useRef<HTMLDivElement>(null);
  const shown = useRef<Target | null>(null);
  useLayoutEffect(() => {
    const box = ref.current;
    const row = key && shown.current !== target ? box?.querySelector(`[data-key="${CSS.escape(key)}"]`) : null;
    if (row) shown.current = target;
    if (box && row) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - TARGET_TOP_PX;
    else if (box) box.scrollTop = box.scrollHeight;
  }, [count, target, key]);
  return ref;
}
