/** One thing that was found, with the words that matched. */
import { IconMessage } from "@tabler/icons-react";
import type { Found } from "../api/knowledge";
import { fromNow, fullTime } from "../chat/time";
import { Kind } from "../documents/DocumentRow";
import { pieces } from "../documents/points";
import { useLive } from "../shell/context";
import { pickPeople } from "../shell/pick";
import classes from "./search.module.css";

/** What stands in a row; the row itself is a link or an option of a list. */
export function FoundBody({ found, short = false }: { found: Found; short?: boolean }) {
  const people = useLive(pickPeople);
  const who = found.author_id ? (people[found.author_id]?.name ?? null) : null;
  return (
    <>
      {found.kind === "message" ? <IconMessage size={22} className={classes.icon} aria-label="message" /> : <Kind name={null} />}
      <span className={classes.words}>
        <span className={classes.title}>{found.title}</span>
        {found.snippet && (
          <span className={classes.snippet} data-short={short}>
            {pieces(found.snippet, found.marks).map((piece, at) => (piece.marked ? <mark key={at}>{piece.text}</mark> : piece.text))}
          </span>
        )}
        {!short && (who || found.at) && (
          <span className={classes.meta}>
            {who && <span>{who}</span>}
            {found.at && (
              <time dateTime={found.at} title={fullTime(found.at)}>
                {fromNow(found.at)}
              </time>
            )}
          </span>
        )}
      </span>
    </>
  );
}
