/** One notification: who, what, where, when, and whether it is new. */
import { UnstyledButton } from "@mantine/core";
import { memo } from "react";
import type { Notice } from "../api/types";
import { plain } from "../chat/markdown";
import { fromNow, fullTime } from "../chat/time";
import { PersonMark } from "../shell/PersonMark";
import classes from "./notifications.module.css";
import { headline } from "./words";

interface Props {
  notice: Notice;
  follow: (notice: Notice) => void;
}

export const NoticeRow = memo(function NoticeRow({ notice, follow }: Props) {
  const { who, did } = headline(notice);
  const unread = notice.read_at === null;
  return (
    <li>
      <UnstyledButton
        className={classes.row}
        data-unread={unread}
        data-testid="notification"
        onClick={() => follow(notice)}
      >
        <PersonMark id={notice.author_id} name={notice.author_name} size={34} />
        <span className={classes.words}>
          <span className={classes.head}>
            <span className={classes.name}>{who}</span> {did}
            {unread && <span className={classes.hidden}> (unread)</span>}
          </span>
          <span className={classes.snippet}>{plain(notice.snippet)}</span>
          <span className={classes.where}>
            <span>#{notice.channel_name}</span>
            <time dateTime={notice.created_at} title={fullTime(notice.created_at)}>
              {fromNow(notice.created_at)}
            </time>
          </span>
        </span>
        {unread && <span className={classes.dot} aria-hidden="true" />}
      </UnstyledButton>
    </li>
  );
});
