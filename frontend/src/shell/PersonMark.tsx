/** A person at a glance: initials in a colour of their own, and whether they are there. */
import type { PresenceState } from "../api/types";
import classes from "./person.module.css";

const HUES = 8;

export function hueOf(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 9973;
  return sum % HUES;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words[0] ?? "";
  const last = words.length > 1 ? (words.at(-1) ?? "") : "";
  return ([...first][0] ?? "?").concat([...last][0] ?? "").toUpperCase();
}

interface Props {
  id: string;
  name: string;
  size?: number;
  presence?: PresenceState;
}

export function PersonMark({ id, name, size = 36, presence }: Props) {
  return (
    <span className={classes.mark} data-hue={hueOf(id)} style={{ width: size, height: size, fontSize: size * 0.38 }}>
      <span aria-hidden="true">{initials(name)}</span>
      {presence && <PresenceDot state={presence} />}
    </span>
  );
}

const WORDS: Record<PresenceState, string> = { online: "online", away: "away", offline: "not here" };

export function PresenceDot({ state }: { state: PresenceState }) {
  return <span className={classes.dot} data-state={state} role="img" aria-label={WORDS[state]} />;
}
