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
import { useRowContext } from "./useRowContext";

interface Props {
  channel: Channel;
  rootId: string;
}

/** Pages to look back for a root on our own; a thread older than that is asked for. */
const LOOK_BACK = 8;

export function Thread({ channel, rootId }: Props) {
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
  const { looking, look } = useRoot(channel.id, missing);
  const waiting = outbox.filter((item) => item.thread_id === rootId);
  const rows = arrange(combine(messages, waiting, me.id), null, me.id).map((row, at) => ({
    ...row,
    newDay: false,
    first: row.first || at === 1,
  }));
  const end = useEnd(rows.length);

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

/** Replies travel with their channel, so a thread is complete once the channel is loaded back to its root. */
function useRoot(channelId: string, missing: boolean): { looking: boolean; look: () => void } {
  const workspace = useWorkspace();
  const [looking, setLooking] = useState(false);
  const [left, setLeft] = useState(LOOK_BACK);
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
  return { looking, look: () => setLeft(LOOK_BACK) };
}

function useEnd(count: number) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (ref.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [count]);
  return ref;
}
