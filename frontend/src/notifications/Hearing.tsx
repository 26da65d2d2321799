/** Reads a new notification out, politely, to those who listen to the page. */
import { useLive } from "../shell/context";
import { pickNotices } from "../shell/pick";
import classes from "./notifications.module.css";
import { spoken } from "./words";

export function Hearing() {
  const { heard } = useLive(pickNotices);
  return (
    <div className={classes.hidden} role="status" aria-live="polite" data-testid="heard">
      {/* The same words twice are two pieces of news. */}
      {heard && <span key={heard.id}>{spoken(heard)}</span>}
    </div>
  );
}
