/** Two texts as one: what went and what came, word by word. */
import { Text } from "@mantine/core";
import { Fragment, useMemo } from "react";
import { compare, type Hunk, type Part } from "./diff";
import classes from "./page.module.css";

interface Side {
  title: string;
  text: string;
}

export function Difference({ before, after }: { before: Side; after: Side }) {
  const found = useMemo(() => compare(before.text, after.text), [before.text, after.text]);
  const renamed = before.title !== after.title;
  const same = found.added === 0 && found.removed === 0 && !found.hunks.some((hunk) => hunk.kind === "changed");
  return (
    <div data-testid="difference">
      <Text size="sm" c="dimmed" mb="sm" role="status">
        {same && !renamed ? "The two are the same." : `${words(found.added)} added, ${words(found.removed)} taken away`}
        {found.coarse && ". The texts differ too much to be compared word by word."}
      </Text>
      {renamed && (
        <p className={classes.retitled}>
          <del>{before.title}</del> <ins>{after.title}</ins>
        </p>
      )}
      <div className={classes.diff}>
        {found.hunks.map((hunk, at) => (
          <Fragment key={at}>
            <HunkView hunk={hunk} />
          </Fragment>
        ))}
      </div>
    </div>
  );
}

function words(count: number): string {
  return `${count.toLocaleString()} ${count === 1 ? "word" : "words"}`;
}

function HunkView({ hunk }: { hunk: Hunk }) {
  if (hunk.kind === "skipped") {
    return <div className={classes.skipped}>{hunk.count === 1 ? "1 line" : `${hunk.count.toLocaleString()} lines`} the same</div>;
  }
  if (hunk.kind === "same") return <div className={classes.lines}>{hunk.lines.join("\n")}</div>;
  return (
    <div className={classes.lines} data-changed="true">
      {hunk.parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
    </div>
  );
}

function PartView({ part }: { part: Part }) {
  if (part.kind === "same") return part.text;
  // An empty line that came or went would show as nothing at all.
  const text = part.text.trim() === "" ? part.text.replace(/\n/g, "¶\n") || "¶" : part.text;
  return part.kind === "added" ? <ins>{text}</ins> : <del>{text}</del>;
}
