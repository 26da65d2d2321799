/** Where one writes: drafts, mentions, sending, and telling others that one is typing. */
import { ActionIcon, Textarea } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Channel } from "../api/types";
import { asksAssistant } from "../assistant/words";
import { readDraft, writeDraft } from "../live/shelf";
import { useLive, useWorkspace } from "../shell/context";
import { pickMe } from "../shell/pick";
import classes from "./chat.module.css";
import { NameList, useNames } from "./Names";
import { fits, length, LONGEST, tidy } from "./text";
import { TypingLine } from "./TypingLine";

const TYPING_EVERY_MS = 3_000;
const NEARLY_FULL = 15_000;

interface Props {
  channel: Channel;
  threadId: string | null;
  editLast: () => void;
}

export function Composer({ channel, threadId, editLast }: Props) {
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const place = threadId ?? channel.id;
  const [text, setText] = useState(() => readDraft(me.id, place));
  const box = useRef<HTMLTextAreaElement>(null);
  const told = useRef(0);
  const names = useNames(text, box, setText);

  useEffect(() => writeDraft(me.id, place, text), [me.id, place, text]);
  // A keyboard that slides up uninvited hides half of a phone's page.
  useEffect(() => {
    if (!globalThis.matchMedia("(pointer: coarse)").matches) box.current?.focus();
  }, []);

  const change = (next: string) => {
    setText(next);
    if (!next.trim() || Date.now() - told.current < TYPING_EVERY_MS) return;
    told.current = Date.now();
    workspace.connection.ask("typing", { channel_id: channel.id }).catch(() => undefined);
  };
  const send = () => {
    const ready = tidy(text);
    if (!fits(ready)) return;
    workspace.send(channel.id, ready, threadId);
    setText("");
    told.current = 0;
    box.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || names.pressed(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "" && !event.altKey) {
      event.preventDefault();
      editLast();
    } else if (event.key === "Escape") box.current?.blur();
  };

  const ready = tidy(text);
  const size = length(ready);
  return (
    <div className={classes.foot}>
      <NameList names={names} />
      <div className={classes.box}>
        <Textarea
          ref={box}
          className={classes.input}
          variant="unstyled"
          autosize
          minRows={1}
          maxRows={12}
          value={text}
          placeholder={threadId ? "Reply…" : `Write to ${channel.private ? "" : "#"}${channel.name}`}
          aria-label={threadId ? "Reply in the thread" : `Message to ${channel.name}`}
          data-testid={threadId ? "thread-composer" : "composer"}
          onChange={(event) => change(event.currentTarget.value)}
          onKeyDown={pressed}
          onSelect={names.look}
        />
        <ActionIcon
          size={34}
          radius={11}
          aria-label="Send"
          disabled={!fits(ready)}
          onClick={send}
          data-testid={threadId ? "thread-send" : "send"}
        >
          <IconArrowUp size={19} />
        </ActionIcon>
      </div>
      <div className={classes.below}>
        {asksAssistant(text) ? (
          <span role="status" data-testid="ask-hint">
            The assistant answers in the thread, only from what everybody here may read.
          </span>
        ) : threadId ? (
          <span />
        ) : (
          <TypingLine channelId={channel.id} />
        )}
        {size > NEARLY_FULL && (
          <span role="status">{size > LONGEST ? `${size - LONGEST} too many` : `${LONGEST - size} left`}</span>
        )}
      </div>
    </div>
  );
}
