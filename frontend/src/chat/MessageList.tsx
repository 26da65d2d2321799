/** The scrolling list: a window of the loaded messages, and what is on its way at the end. */
import { Button, Loader } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Message } from "../api/types";
import type { Outgoing } from "../sync/outbox";
import classes from "./chat.module.css";
import { MessageRow, type RowContext } from "./MessageRow";
import { arrange, combine, countReplies } from "./rows";
import { useScroll } from "./useScroll";
import { earlier, later, LIVE, slice } from "./window";

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
  useEffect(() => atEnd(live && scroll.following), [atEnd, live, scroll.following]);

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
