/** The answers of one conversation, oldest first. */
import { useCallback, useEffect, useRef, useState } from "react";
import { sentence } from "../api/errors";
import { assistant, type Answer, type TalkSummary } from "../api/assistant";
import { useWorkspace } from "../shell/context";

const PAGE = 100;
/** A conversation longer than this shows its first part; nobody has had one yet. */
const MOST_PAGES = 10;

export interface Talk {
  id: string | null;
  ids: readonly string[];
  loading: boolean;
  problem: string | null;
}

const NONE: Talk = { id: null, ids: [], loading: false, problem: null };

export function useTalk(id: string | null): { talk: Talk; added: (talk: string, answer: string) => void; again: () => void } {
  const { answers } = useWorkspace();
  const [talk, setTalk] = useState<Talk>(NONE);
  const [tries, setTries] = useState(0);
  // What was begun on this page is here already, and need not be read.
  const begun = useRef<string | null>(null);
  useEffect(() => {
    if (id === null) {
      setTalk(NONE);
      return undefined;
    }
    if (begun.current === id) return undefined;
    begun.current = null;
    let left = false;
    setTalk({ id, ids: [], loading: true, problem: null });
    whole(id).then(
      ({ answers: found }) => {
        if (left) return;
        for (const answer of found) answers.take(answer);
        setTalk((now) => ({ id, ids: merged(found.map((one) => one.id), now.id === id ? now.ids : []), loading: false, problem: null }));
      },
      (error: unknown) => !left && setTalk({ id, ids: [], loading: false, problem: sentence(error) }),
    );
    return () => {
      left = true;
    };
  }, [id, answers, tries]);
  const added = useCallback((of: string, answer: string) => {
    setTalk((now) => ({ id: of, ids: merged(now.id === of ? now.ids : [], [answer]), loading: false, problem: null }));
    begun.current = of;
  }, []);
  return { talk, added, again: () => setTries(tries + 1) };
}

async function whole(id: string): Promise<{ conversation: TalkSummary; answers: Answer[] }> {
  const page = await assistant.talk(id, null, PAGE);
  const found = [...page.answers];
  let next = page.next;
  for (let count = 1; next !== null && count < MOST_PAGES; count += 1) {
    const more = await assistant.talk(id, next, PAGE);
    found.push(...more.answers);
    next = more.next;
  }
  return { conversation: page.conversation, answers: found };
}

function merged(first: readonly string[], then: readonly string[]): string[] {
  return [...new Set([...first, ...then])];
}
