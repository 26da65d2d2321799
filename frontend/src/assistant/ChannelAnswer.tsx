/** An answer that the assistant posted in a channel. Its sources are read for whoever looks, when they look. */
import { Button, Drawer, Loader, Text } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";
import { memo, useCallback, useState } from "react";
import type { Message } from "../api/types";
import { ended, type AnswerView } from "../live/answers";
import { useStore } from "../live/store";
import { useWorkspace } from "../shell/context";
import { SourceWords } from "./Answer";
import classes from "./answer.module.css";
import { AnswerText } from "./AnswerText";
import { SourceBody } from "./Source";

export function AssistantMark({ size = 36 }: { size?: number }) {
  return (
    <span className={classes.mark} style={{ width: size, height: size }}>
      <IconSparkles size={size * 0.58} aria-hidden="true" />
    </span>
  );
}

/** The chips are live before the sources are known. */
const UNKNOWN: ReadonlyMap<number, string> = new Map();

export const ChannelAnswer = memo(function ChannelAnswer({ message }: { message: Message }) {
  const { answers } = useWorkspace();
  const [shown, setShown] = useState<number | "all" | null>(null);
  const id = message.client_id;
  const show = useCallback(
    (which: number | "all") => {
      if (id) answers.open(id);
      setShown(which);
    },
    [answers, id],
  );
  const cites = /\[\d/.test(message.text);
  return (
    <div className={classes.fromChannel}>
      <AnswerText text={message.text} sources={UNKNOWN} chosen={typeof shown === "number" ? shown : null} choose={show} />
      {cites && id && (
        <Button size="compact-xs" variant="subtle" color="gray" ml={-8} onClick={() => show("all")} data-testid="channel-sources">
          Sources
        </Button>
      )}
      {shown !== null && id && <Sources id={id} shown={shown} show={setShown} close={() => setShown(null)} />}
    </div>
  );
});

interface Props {
  id: string;
  shown: number | "all";
  show: (number: number) => void;
  close: () => void;
}

function Sources({ id, shown, show, close }: Props) {
  const { answers } = useWorkspace();
  const answer = useStore(
    answers.state,
    useCallback((state: Record<string, AnswerView>) => state[id], [id]),
  );
  const title = shown === "all" ? "Sources" : `Source ${shown}`;
  return (
    <Drawer opened onClose={close} position="right" size={420} title={title} closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }} data-testid="source-panel">
      {!answer || (!ended(answer.status) && !answer.problem) ? (
        <Loader size={16} type="dots" />
      ) : answer.problem ? (
        <Text c="dimmed">{answer.problem}</Text>
      ) : shown === "all" ? (
        <section className={classes.sources} aria-label="Sources">
          <ol>
            {answer.citations.map((one) => (
              <li key={one.number}>
                <button type="button" className={classes.sourceRow} data-testid="source" onClick={() => show(one.number)}>
                  <span className={classes.chip}>{one.number}</span>
                  <SourceWords citation={one} />
                </button>
              </li>
            ))}
          </ol>
        </section>
      ) : (
        <SourceBody citation={answer.citations.find((one) => one.number === shown)} />
      )}
    </Drawer>
  );
}
