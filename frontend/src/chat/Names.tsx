/** Offers names while one types `@…`. */
import { Text, UnstyledButton } from "@mantine/core";
import { useState, type KeyboardEvent, type RefObject } from "react";
import type { Person } from "../api/types";
import { AssistantMark } from "../assistant/ChannelAnswer";
import { ASSISTANT_ID } from "../assistant/words";
import { useLive } from "../shell/context";
import { PersonMark } from "../shell/PersonMark";
import { pickPeople } from "../shell/pick";
import shell from "../shell/shell.module.css";
import classes from "./chat.module.css";

const MOST = 6;
/** Who is offered beside people: the assistant by name, and the command that asks it. */
const ASSISTANT: Offer = { id: ASSISTANT_ID, name: ASSISTANT_ID, about: "answers from your documents" };
const ASK: Offer = { id: "/ask", name: "/ask", about: "asks the assistant" };

export interface Offer {
  id: string;
  name: string;
  about?: string;
}

/** The name being typed before the cursor: where its `@` is, and what follows. */
export function typedName(text: string, cursor: number): { at: number; query: string } | null {
  const match = /(?:^|[\s(])@([\p{L}\p{N}_.'-]*(?: [\p{L}\p{N}_.'-]*)?)$/u.exec(text.slice(0, cursor));
  return match?.[1] === undefined ? null : { at: cursor - match[1].length - 1, query: match[1].toLowerCase() };
}

export interface Names {
  found: Offer[];
  chosen: number;
  look: () => void;
  pressed: (event: KeyboardEvent) => boolean;
  take: (offer: Offer) => void;
}

export function useNames(text: string, box: RefObject<HTMLTextAreaElement | null>, set: (text: string) => void): Names {
  const people = useLive(pickPeople);
  const [cursor, setCursor] = useState(0);
  const [at, setAt] = useState(0);
  const [closed, setClosed] = useState<string | null>(null);
  const typed = closed === text ? null : typedName(text, Math.min(cursor, text.length));
  const command = closed !== text && /^\/[ask]{0,3}$/i.test(text) && "/ask".startsWith(text.toLowerCase());
  const found = command ? [ASK] : typed ? offers(Object.values(people), typed.query) : [];
  const chosen = Math.min(at, Math.max(0, found.length - 1));

  const take = (offer: Offer) => {
    const from = command ? 0 : typed?.at;
    if (from === undefined) return;
    const written = command ? `${offer.name} ` : `@${offer.name} `;
    const place = from + written.length;
    set(`${text.slice(0, from)}${written}${text.slice(cursor)}`);
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
      if (event.key === "Enter" && !command && typed?.query === person.name.toLowerCase()) return false;
      take(person);
    } else if (event.key === "Escape") setClosed(text);
    else return false;
    event.preventDefault();
    return true;
  };
  const look = () => setCursor(box.current?.selectionStart ?? 0);
  return { found, chosen, look, pressed, take };
}

function offers(people: readonly Person[], query: string): Offer[] {
  const named = people.filter((one) => one.active !== false && one.name.toLowerCase().startsWith(query));
  return [...named, ...(ASSISTANT_ID.startsWith(query) ? [ASSISTANT] : [])].slice(0, MOST);
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
          {person.about ? <AssistantMark size={24} /> : <PersonMark id={person.id} name={person.name} size={24} />}
          <span className={shell.label}>
            {person.name}
            {person.about && (
              <Text span size="xs" c="dimmed">
                {" "}
                {person.about}
              </Text>
            )}
          </span>
        </UnstyledButton>
      ))}
    </div>
  );
}
