/** Where one asks. */
import { ActionIcon, Textarea } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { length } from "../chat/text";
import classes from "./assistant.module.css";
import { LONGEST_QUESTION } from "./words";

interface Props {
  /** What stands in the box at first. */
  first: string;
  /** Answers whether the question was taken; else it stays in the box. */
  ask: (question: string) => Promise<boolean>;
  follows: boolean;
}

export function Ask({ first, ask, follows }: Props) {
  const [text, setText] = useState(first);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (!globalThis.matchMedia("(pointer: coarse)").matches) box.current?.focus();
  }, []);
  const size = length(text.trim());
  const ready = size > 0 && size <= LONGEST_QUESTION && !busy;
  const send = async () => {
    if (!ready) return;
    setBusy(true);
    const taken = await ask(text.trim());
    setBusy(false);
    if (taken) setText("");
    box.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    void send();
  };
  return (
    <div className={classes.foot}>
      <div className={classes.box}>
        <Textarea
          ref={box}
          className={classes.input}
          variant="unstyled"
          autosize
          minRows={1}
          maxRows={8}
          value={text}
          placeholder={follows ? "Ask further…" : "Ask something your team has written down…"}
          aria-label="Question to the assistant"
          data-testid="question"
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={pressed}
        />
        <ActionIcon size={34} radius={11} aria-label="Ask" disabled={!ready} loading={busy} onClick={() => void send()} data-testid="ask">
          <IconArrowUp size={19} />
        </ActionIcon>
      </div>
      {size > LONGEST_QUESTION - 500 && (
        <span className={classes.count} role="status">
          {size > LONGEST_QUESTION ? `${size - LONGEST_QUESTION} too many` : `${LONGEST_QUESTION - size} left`}
        </span>
      )}
    </div>
  );
}
