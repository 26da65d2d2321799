/** An answer's text with its numbers of sources as buttons. What else a model writes is text, whatever it looks like. */
import { memo, useMemo, type ReactNode } from "react";
import classes from "./answer.module.css";
import { parseAnswer, type Span } from "./text";

interface Props {
  text: string;
  /** The numbers that have a source, by title; null while they are not known yet. */
  sources: ReadonlyMap<number, string> | null;
  chosen: number | null;
  choose: (number: number) => void;
}

export const AnswerText = memo(function AnswerText({ text, sources, chosen, choose }: Props) {
  const blocks = useMemo(() => parseAnswer(text), [text]);
  const line = (spans: readonly Span[]): ReactNode =>
    spans.map((span, at) =>
      span.kind === "text" ? (
        span.text
      ) : (
        <Chip key={at} number={span.number} title={sources?.get(span.number)} known={sources !== null} chosen={chosen === span.number} choose={choose} />
      ),
    );
  return (
    <div className={classes.text}>
      {blocks.map((block, at) => {
        if (block.kind === "list") {
          const items = block.items.map((item, index) => <li key={index}>{line(item)}</li>);
          return block.ordered ? <ol key={at} start={block.first}>{items}</ol> : <ul key={at}>{items}</ul>;
        }
        return (
          <p key={at}>
            {block.lines.map((spans, index) => (
              <span key={index}>
                {index > 0 && <br />}
                {line(spans)}
              </span>
            ))}
          </p>
        );
      })}
    </div>
  );
});

interface ChipProps {
  number: number;
  title: string | undefined;
  known: boolean;
  chosen: boolean;
  choose: (number: number) => void;
}

function Chip({ number, title, known, chosen, choose }: ChipProps) {
  return (
    <button
      type="button"
      className={classes.chip}
      data-chosen={chosen}
      aria-label={title ? `Source ${number}: ${title}` : `Source ${number}`}
      aria-pressed={chosen}
      title={title}
      disabled={!known}
      data-testid="citation"
      onClick={() => choose(number)}
    >
      {number}
    </button>
  );
}
