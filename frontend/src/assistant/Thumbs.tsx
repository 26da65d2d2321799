/** Whether an answer was of help, and what whoever asked has to say about it. */
import { ActionIcon, Button, Text, Textarea, Tooltip } from "@mantine/core";
import { IconThumbDown, IconThumbDownFilled, IconThumbUp, IconThumbUpFilled } from "@tabler/icons-react";
import { useState } from "react";
import { assistant, type Rating } from "../api/assistant";
import { type AnswerView } from "../live/answers";
import { useWorkspace } from "../shell/context";
import { tellError } from "../shell/tell";
import classes from "./answer.module.css";

const LONGEST_COMMENT = 1_000;

export function Thumbs({ answer }: { answer: AnswerView }) {
  const { answers } = useWorkspace();
  // Only who has just pressed is asked, not whoever comes back to an answer.
  const [asking, setAsking] = useState(false);
  const rate = async (next: Rating | null, comment?: string) => {
    const before = answer.rating;
    answers.rated(answer.id, next);
    try {
      await assistant.rate(answer.id, next, comment);
      setAsking(next === "down" && !comment);
    } catch (error) {
      answers.rated(answer.id, before);
      tellError(error);
    }
  };
  const press = (rating: Rating) => void rate(answer.rating === rating ? null : rating);
  const up = answer.rating === "up";
  const down = answer.rating === "down";
  return (
    <div role="group" aria-label="Was this of help?">
      <div className={classes.thumbs}>
        <Tooltip label="This was of help">
          <ActionIcon variant="subtle" color={up ? "spruce" : "gray"} aria-label="This was of help" aria-pressed={up} onClick={() => press("up")} data-testid="thumb-up">
            {up ? <IconThumbUpFilled size={17} /> : <IconThumbUp size={17} />}
          </ActionIcon>
        </Tooltip>
        <Tooltip label="This was of no help">
          <ActionIcon variant="subtle" color={down ? "spruce" : "gray"} aria-label="This was of no help" aria-pressed={down} onClick={() => press("down")} data-testid="thumb-down">
            {down ? <IconThumbDownFilled size={17} /> : <IconThumbDown size={17} />}
          </ActionIcon>
        </Tooltip>
        {answer.rating && (
          <Text span size="xs" c="dimmed" role="status">
            Thank you.
          </Text>
        )}
      </div>
      {down && asking && <Comment send={(text) => rate("down", text)} />}
    </div>
  );
}

function Comment({ send }: { send: (text: string) => Promise<void> }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    await send(text.trim());
    setBusy(false);
  };
  return (
    <form
      className={classes.comment}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Textarea
        aria-label="What was wrong or missing?"
        placeholder="What was wrong or missing?"
        size="sm"
        autosize
        minRows={1}
        maxRows={5}
        maxLength={LONGEST_COMMENT}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-testid="rating-comment"
      />
      <Button type="submit" variant="default" size="compact-sm" loading={busy} disabled={text.trim() === ""} data-testid="rating-send">
        Send
      </Button>
    </form>
  );
}
