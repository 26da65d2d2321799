/** The scrolling list: a window of the loaded messages, and what is on its way at the end. */
import { Button, Loader } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Message } from "../api/types";
import type { Outgoing } from "../sync/outbox";
import classes from "./chat.module.css";
import { MessageRow, type RowContext } from "./MessageRow";
import { arrange, combine, countReplies, type Row } from "./rows";
import { useScroll, type Scroll } from "./useScroll";
import type { Reach } from "./useTarget";
import type { Target } from "./where";
import { around, earlier, later, LIVE, slice, type Window } from "./window";

interface Props {
  messages: readonly Message[];
  waiting: readonly Outgoing[];
  older: boolean;
  loadOlder: () => Promise<boolean>;
  mark: number | null;
  editing: string | null;
  context: RowContext;
  atEnd: (end: boolean) => void;
  beginning: ReactNode;
  /** The message one came for. */
  reach: Reach;
}

export function MessageList(props: Props) {
  const { messages, waiting, mark, editing, context, atEnd, older } = props;
  const [window, setWindow] = useState(LIVE);
  const live = window.last === null;
  const rows = useMemo(() => {
    const shown = combine(slice(messages, window), live ? waiting : [], context.me.id);
    return arrange(shown, mark, context.me.id);
  }, [messages, window, live, waiting, mark, context.me.id]);
  const replies = useMemo(() => countReplies(messages), [messages]);
  const byId = useMemo(() => new Map(messages.map((message) => [message.id, message])), [messages]);
  const complete = !older && (rows[0] === undefined || rows[0].shown.message.id === messages[0]?.id || messages.length === 0);

  const { loading, load } = useOlder(props.loadOlder);
  const nearTop = useCallback(() => {
    const next = earlier(messages, window);
    if (next) setWindow(next);
    else if (older) load();
  }, [messages, window, older, load]);
  const nearEnd = useCallback(() => {
    const next = later(messages, window);
    if (next) setWindow(next);
  }, [messages, window]);
  const scroll = useScroll({ rows, nearTop, nearEnd, live });

  const { shown, busy } = useShown(messages, props.reach, setWindow, rows, scroll);

  const mine = waiting.length;
  const before = useRef(mine);
  useEffect(() => {
    // Whoever writes wants to see it, however far back they were reading.
    if (mine > before.current) {
      setWindow(LIVE);
      scroll.toEnd();
    }
    before.current = mine;
  }, [mine, scroll]);
  // Whoever comes for a message has not read the end, although that is on screen for a moment.
  useEffect(() => atEnd(live && scroll.following && !busy), [atEnd, live, scroll.following, busy]);

  return (
    <>
      <div
        className={classes.scroll}
        ref={scroll.box}
        onScroll={scroll.onScroll}
        tabIndex={0}
        role="group"
        aria-label="Messages"
        data-testid="message-list"
      >
        <div className={classes.inner} ref={scroll.inner}>
          {complete ? props.beginning : <div className={classes.more}>{loading && <Loader size={16} type="dots" />}</div>}
          {rows.map((row) => (
            <MessageRow
              key={row.shown.key}
              row={row}
              context={context}
              editing={editing === row.shown.message.id}
              replies={replies.get(row.shown.message.id) ?? 0}
              root={row.shown.message.thread_id ? byId.get(row.shown.message.thread_id) : undefined}
              target={row.shown.message.id === shown}
            />
          ))}
        </div>
      </div>
      {!(live && scroll.following) && (
        <div style={{ position: "relative" }}>
          <div className={classes.jump}>
            <Button
              size="xs"
              radius="xl"
              leftSection={<IconArrowDown size={15} />}
              onClick={() => {
                setWindow(LIVE);
                scroll.toEnd();
              }}
            >
              To the newest
            </Button>
          </div>
        </div>
      )}
    </>
  );
}

/** Bring the message one came for on screen, once for each visit. Answer its id, and whether it is still to be shown. */
function useShown(
  messages: readonly Message[],
  { target, reached }: Reach,
  setWindow: (window: Window) => void,
  rows: readonly Row[],
  scroll: Scroll,
): { shown: string | null; busy: boolean } {
  const [shown, setShown] = useState<{ target: Target; id: string | null } | null>(null);
  const pending = useRef<{ target: Target; id: string } | null>(null);
  const busy = target !== null && shown?.target !== target;
  useEffect(() => {
    if (!target || !reached || shown?.target === target || pending.current?.target === target) return;
    const { window, found } = around(messages, target.seq);
    pending.current = found ? { target, id: found.id } : null;
    if (found) setWindow(window);
    else setShown({ target, id: null });
  }, [messages, target, reached, shown, setWindow]);
  // Its row must be there before it can be scrolled to.
  useLayoutEffect(() => {
    const next = pending.current;
    const row = next && rows.find((one) => one.shown.message.id === next.id);
    if (!row) return;
    pending.current = null;
    scroll.show(row.shown.key);
    setShown(next);
  }, [rows, scroll]);
  return { shown: target && shown?.target === target ? shown.id : null, busy };
}

const REST_MS = 3_000;

/** Load one older page at a time; after a failure rest, so that scrolling does not hammer a server that is away. */
function useOlder(loadOlder: () => Promise<boolean>): { loading: boolean; load: () => void } {
  const [loading, setLoading] = useState(false);
  const busy = useRef(false);
  const load = useCallback(() => {
    if (busy.current) return;
    busy.current = true;
    setLoading(true);
    const free = () => {
      busy.current = false;
      setLoading(false);
    };
    loadOlder().then(free, () => setTimeout(free, REST_MS));
  }, [loadOlder]);
  return { loading, load };
}
