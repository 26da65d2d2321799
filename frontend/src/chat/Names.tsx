/** Offers names while one types `@…`. */
import { UnstyledButton } from "@mantine/core";
import { useState, type KeyboardEvent, type RefObject } from "react";
import type { Person } from "../api/types";
import { useLive } from "../shell/context";
import { PersonMark } from "../shell/PersonMark";
import { pickPeople } from "../shell/pick";
import shell from "../shell/shell.module.css";
import classes from "./chat.module.css";

const MOST = 6;

/** The name being typed before the cursor: where its `@` is, and what follows. */
export function typedName(text: string, cursor: number): { at: number; query: string } | null {
  const match = /(?:^|[\s(])@([\p{L}\p{N}_.'-]*(?: [\p{L}\p{N}_.'-]*)?)$/u.exec(text.slice(0, cursor));
  return match?.[1] === undefined ? null : { at: cursor - match[1].length - 1, query: match[1].toLowerCase() };
}

export interface Names {
  found: Person[];
  chosen: number;
  look: () => void;
  pressed: (event: KeyboardEvent) => boolean;
  take: (person: Person) => void;
}

export function useNames(text: string, box: RefObject<HTMLTextAreaElement | null>, set: (text: string) => void): Names {
  const people = useLive(pickPeople);
  const [cursor, setCursor] = useState(0);
  const [at, setAt] = useState(0);
  const [closed, setClosed] = useState<string | null>(null);
  const typed = closed === text ? null : typedName(text, Math.min(cursor, text.length));
  const found = typed
    ? Object.values(people)
        .filter((one) => one.active !== false && one.name.toLowerCase().startsWith(typed.query))
        .slice(0, MOST)
    : [];
  const chosen = Math.min(at, Math.max(0, found.length - 1));

  const take = (person: Person) => {
    if (!typed) return;
    const next = `${text.slice(0, typed.at)}@${person.name} ${text.slice(cursor)}`;
    const place = typed.at + person.name.length + 2;
    set(next);
    setAt(0);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(place, place);
    });
  };
  const pressed = (event: KeyboardEvent): boolean => {
    const person = found[chosen];
    if (!person) return false;
    if (event.key === "ArrowDown") setAt((chosen + 1) % found.length);
    else if (event.key === "ArrowUp") setAt((chosen - 1 + found.length) % found.length);
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) {
      // A name that is written out already is not completed once more: Enter sends.
      if (event.key === "Enter" && typed?.query === person.name.toLowerCase()) return false;
      take(person);
    } else if (event.key === "Escape") setClosed(text);
    else return false;
    event.preventDefault();
    return true;
  };
  const look = () => setCursor(box.current?.selectionStart ?? 0);
  return { found, chosen, look, pressed, take };
}

export function NameList({ names }: { names: Names }) {
  if (names.found.length === 0) return null;
  return (
    <div className={classes.names} role="listbox" aria-label="People to mention">
      {names.found.map((person, index) => (
        <UnstyledButton
          key={person.id}
          role="option"
          tabIndex={-1}
          aria-selected={index === names.chosen}
          data-active={index === names.chosen}
          className={shell.option}
          onMouseDown={(event) => {
            event.preventDefault();
            names.take(person);
          }}
        >
          <PersonMark id={person.id} name={person.name} size={24} />
          <span className={shell.label}>{person.name}</span>
        </UnstyledButton>
      ))}
    </div>
  );
}
