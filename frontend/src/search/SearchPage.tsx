/** Search in documents and messages together, as one types. */
import { Button, Loader, SegmentedControl, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useLocation, useSearch } from "wouter";
import type { FoundKind } from "../api/knowledge";
import { Placeholders, Problem } from "../shell/Page";
import shell from "../shell/shell.module.css";
import { TopBar } from "../shell/TopBar";
import { keyOf, LONGEST_QUERY, type FinderState } from "./finder";
import { FoundBody } from "./FoundRow";
import { pathOf } from "./paths";
import classes from "./search.module.css";
import { useFinder } from "./useFinder";

const AT_ONCE = 20;
const KINDS: { value: FoundKind | "all"; label: string }[] = [
  { value: "all", label: "All" },
  { value: "document", label: "Documents" },
  { value: "message", label: "Messages" },
];

export default function SearchPage() {
  const given = new URLSearchParams(useSearch());
  const asked = given.get("q") ?? "";
  const kind = KINDS.find((one) => one.value === given.get("kind") && one.value !== "all")?.value as FoundKind | undefined;
  const [text, setText] = useState(asked);
  const [chosen, setChosen] = useState(-1);
  const [, navigate] = useLocation();
  const { finder, state } = useFinder(AT_ONCE);
  const list = useRef<HTMLUListElement>(null);
  const results = state.results ?? [];

  // The address says what is looked for, so that one comes back to it.
  const write = (next: string, nextKind: FoundKind | undefined) => {
    const query = new URLSearchParams({ ...(next.trim() ? { q: next } : {}), ...(nextKind ? { kind: nextKind } : {}) }).toString();
    navigate(`/search${query ? `?${query}` : ""}`, { replace: true });
  };
  const first = useRef(true);
  useEffect(() => {
    finder.look(text, kind ?? null, first.current);
    first.current = false;
  }, [finder, text, kind]);
  const written = useRef(asked);
  useEffect(() => {
    if (asked !== written.current) setText(asked);
    written.current = asked;
  }, [asked]);
  const change = (next: string) => {
    setText(next);
    setChosen(-1);
    written.current = next.trim() ? next : "";
    write(next, kind);
  };

  const focus = (at: number) => {
    setChosen(at);
    list.current?.querySelectorAll("a")[at]?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const links = results.length;
    if (event.key === "ArrowDown" && links > 0) focus(Math.min(chosen + 1, links - 1));
    else if (event.key === "ArrowUp" && chosen > 0) focus(chosen - 1);
    else if (event.key === "ArrowUp" && chosen === 0) {
      setChosen(-1);
      document.getElementById("search-field")?.focus();
    } else if (event.key === "Enter" && chosen < 0 && results[0] && !state.busy) navigate(pathOf(results[0]));
    else return;
    event.preventDefault();
  };

  return (
    <>
      <TopBar title="Search" icon={<IconSearch size={20} aria-hidden="true" className={shell.topIcon} />} />
      <div className={shell.page} onKeyDown={pressed}>
        <div className={shell.pageBody}>
          <div className={classes.head} role="search">
            <TextInput
              id="search-field"
              className={classes.field}
              size="md"
              radius="md"
              autoFocus
              value={text}
              maxLength={LONGEST_QUERY}
              placeholder="What are you looking for?"
              aria-label="Search in documents and messages"
              leftSection={<IconSearch size={18} />}
              rightSection={state.busy ? <Loader size={16} /> : null}
              data-testid="search-field"
              onChange={(event) => change(event.currentTarget.value)}
            />
            <SegmentedControl
              size="xs"
              aria-label="What to look in"
              value={kind ?? "all"}
              data={KINDS}
              onChange={(value) => write(text, value === "all" ? undefined : (value as FoundKind))}
            />
          </div>
          <Outcome state={state} again={() => finder.again()} />
          <ul className={classes.list} aria-label="Found" ref={list}>
            {results.map((found, at) => (
              <li key={keyOf(found)}>
                <a
                  href={pathOf(found)}
                  className={classes.row}
                  data-testid="search-result"
                  data-kind={found.kind}
                  onFocus={() => setChosen(at)}
                  onClick={(event) => {
                    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                    event.preventDefault();
                    navigate(pathOf(found), { state: { visit: Date.now() } });
                  }}
                >
                  <FoundBody found={found} />
                </a>
              </li>
            ))}
          </ul>
          {state.next !== null && (
            <Button variant="default" size="xs" mx="auto" display="block" my="md" loading={state.busy} onClick={() => finder.more()}>
              Show more
            </Button>
          )}
        </div>
      </div>
    </>
  );
}

function Outcome({ state, again }: { state: FinderState; again: () => void }) {
  if (state.problem) return <Problem text={state.problem} again={again} />;
  if (state.results === null) {
    if (state.busy) return <Placeholders />;
    return (
      <Text c="dimmed" size="sm" py="md">
        Words, names and whole questions work, in documents and messages that you may read: by what they mean as well as by
        the letters.
      </Text>
    );
  }
  return (
    <div role="status" className={state.results.length > 0 ? classes.hidden : undefined}>
      {state.results.length > 0 ? `${state.results.length} found for ${state.found}` : <None query={state.found} />}
    </div>
  );
}

function None({ query }: { query: string }) {
  return (
    <Text c="dimmed" py="lg" style={{ overflowWrap: "anywhere" }}>
      Nothing that you may read holds “{query}”. Try fewer or other words.
    </Text>
  );
}
