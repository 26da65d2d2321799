/** Reads new messages of others out to those who listen to the page. */
import { useEffect, useRef, useState } from "react";
import type { Message } from "../api/types";
import { ASSISTANT_ID, ASSISTANT_NAME } from "../assistant/words";
import { useLive } from "../shell/context";
import { pickMe, pickPeople } from "../shell/pick";
import { plain } from "./markdown";
import classes from "./chat.module.css";

export function Announcer({ messages }: { messages: readonly Message[] }) {
  const me = useLive(pickMe);
  const people = useLive(pickPeople);
  const [words, setWords] = useState("");
  const seen = useRef<number | null>(null);
  const newest = messages.at(-1);

  useEffect(() => {
    if (!newest) return;
    const since = seen.current;
    seen.current = Math.max(since ?? 0, newest.seq);
    // The first page is not news, and neither is what I wrote.
    if (since === null || newest.seq <= since || newest.author_id === me.id || newest.deleted_at) return;
    const name = newest.author_id === ASSISTANT_ID ? ASSISTANT_NAME : (people[newest.author_id]?.name ?? "Someone");
    setWords(`${name}: ${plain(newest.text.slice(0, 300))}`);
  }, [newest, me.id, people]);

  return (
    <div className={classes.hidden} role="log" aria-live="polite" aria-label="New messages">
      {words}
    </div>
  );
}
