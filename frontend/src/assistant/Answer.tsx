/** One question and its answer, while it comes and after. */
import { Button, Loader } from "@mantine/core";
import { IconPlayerStopFilled, IconRefresh, IconSparkles } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import { assistant, type Citation } from "../api/assistant";
import { ended, type AnswerView } from "../live/answers";
import { useStore } from "../live/store";
import { useWorkspace } from "../shell/context";
import { tellError } from "../shell/tell";
import { AnswerText } from "./AnswerText";
import classes from "./answer.module.css";
import { Thumbs } from "./Thumbs";
import { failureWords, progressWords, shownTo } from "./words";

interface Props {
  id: string;
  /** The number of this answer's source that is shown beside it. */
  chosen: number | null;
  choose: (answer: string, number: number) => void;
  again: (question: string) => void;
}

export function Answer({ id, chosen, choose, again }: Props) {
  const { answers } = useWorkspace();
  const answer = useStore(
    answers.state,
    useCallback((state: Record<string, AnswerView>) => state[id], [id]),
  );
  const pick = useCallback((number: number) => choose(id, number), [choose, id]);
  const sources = useMemo(() => answer && titlesOf(answer), [answer]);
  if (!answer || !sources) return null;
  const open = !ended(answer.status);
  return (
    <article className={classes.pair} data-testid="answer" data-status={answer.status}>
      <h2 className={classes.question}>{answer.question}</h2>
      <div className={classes.answer}>
        <IconSparkles size={20} className={classes.spark} aria-label="Assistant" />
        <div className={classes.body}>
          <div aria-live="polite" aria-busy={open}>
            <AnswerText text={answer.text} sources={open && sources.size === 0 ? null : sources} chosen={chosen} choose={pick} />
            <Progress answer={answer} />
            <End answer={answer} again={again} />
          </div>
          {open ? <Stop id={id} /> : <Sources answer={answer} chosen={chosen} choose={pick} />}
          {answer.status === "done" && <Thumbs answer={answer} />}
        </div>
      </div>
    </article>
  );
}

function titlesOf(answer: AnswerView): Map<number, string> {
  return new Map(answer.citations.map((one) => [one.number, shownTo(one) ? one.title : "not for you to read"]));
}

function Progress({ answer }: { answer: AnswerView }) {
  const words = progressWords(answer);
  const open = !ended(answer.status);
  if (!open) return null;
  return (
    <div className={classes.progress} data-testid="answer-progress">
      <Loader size={14} type="dots" aria-hidden="true" />
      {words}
      {answer.problem && <span>{answer.problem} Trying again…</span>}
    </div>
  );
}

function End({ answer, again }: { answer: AnswerView; again: (question: string) => void }) {
  const words = answer.status === "failed" ? failureWords(answer) : answer.status === "stopped" ? "Stopped." : null;
  const lost = answer.problem && ended(answer.status) ? answer.problem : null;
  if (!words && !lost) return null;
  return (
    <div className={classes.end} data-failed={answer.status === "failed"} role={answer.status === "failed" ? "alert" : undefined} data-testid="answer-end">
      <span>{words ?? lost}</span>
      <Button size="compact-sm" variant="default" leftSection={<IconRefresh size={14} />} onClick={() => again(answer.question)} data-testid="retry-answer">
        Ask again
      </Button>
    </div>
  );
}

function Stop({ id }: { id: string }) {
  const [busy, setBusy] = useState(false);
  const { answers } = useWorkspace();
  const stop = async () => {
    setBusy(true);
    try {
      await assistant.stop(id);
      // The end is told by the socket; asking once more costs little where that is away.
      answers.done(id);
    } catch (error) {
      tellError(error);
      setBusy(false);
    }
  };
  return (
    <Button size="compact-sm" variant="default" mt={8} loading={busy} leftSection={<IconPlayerStopFilled size={13} />} onClick={() => void stop()} data-testid="stop-answer">
      Stop
    </Button>
  );
}

function Sources({ answer, chosen, choose }: { answer: AnswerView; chosen: number | null; choose: (number: number) => void }) {
  if (answer.citations.length === 0) return null;
  const sorted = [...answer.citations].sort((a, b) => a.number - b.number);
  return (
    <section className={classes.sources} aria-label="Sources">
      <h3>Sources</h3>
      <ol>
        {sorted.map((one) => (
          <li key={one.number}>
            <button type="button" className={classes.sourceRow} data-chosen={chosen === one.number} data-testid="source" onClick={() => choose(one.number)}>
              <span className={classes.chip} data-chosen={chosen === one.number}>
                {one.number}
              </span>
              <SourceWords citation={one} />
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function SourceWords({ citation }: { citation: Citation }) {
  if (!shownTo(citation)) return <span className={classes.withheld}>You may not read this source, or not any more.</span>;
  return (
    <span className={classes.sourceWords}>
      <span className={classes.sourceTitle}>{citation.title}</span>
      <span className={classes.sourceQuote}>{citation.quote}</span>
    </span>
  );
}
