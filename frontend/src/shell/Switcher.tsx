/** Jump to a channel by a few letters of its name, or find something in documents and messages. */
import { Loader, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconArrowRight, IconSearch, IconSparkles } from "@tabler/icons-react";
import { useEffect, useState, type KeyboardEvent, type ReactNode } from "react";
import { useLocation } from "wouter";
import { LONGEST_QUERY, keyOf } from "../search/finder";
import { FoundBody } from "../search/FoundRow";
import { pathOf } from "../search/paths";
import { useFinder } from "../search/useFinder";
import { useLive } from "./context";
import { pickChannels } from "./pick";
import { rank } from "./rank";
import classes from "./shell.module.css";
import { ChannelIcon } from "./Sidebar";

const MOST = 8;
const MOST_BESIDE_OTHERS = 4;
const MOST_FOUND = 6;

interface Option {
  key: string;
  path: string;
  body: ReactNode;
}

export function Switcher({ close }: { close: () => void }) {
  const channels = useLive(pickChannels);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const [, navigate] = useLocation();
  const { finder, state } = useFinder(MOST_FOUND);
  const text = query.trim();
  useEffect(() => finder.look(text.length > 1 ? text : "", null), [finder, text]);

  const named = rank(channels ?? [], query).slice(0, text ? MOST_BESIDE_OTHERS : MOST);
  const options: Option[] = [
    ...named.map((channel) => ({
      key: channel.id,
      path: `/c/${channel.id}`,
      body: (
        <>
          <ChannelIcon channel={channel} />
          <span className={classes.label}>{channel.name}</span>
          {channel.unread > 0 && <span className={classes.badge}>{channel.unread}</span>}
        </>
      ),
    })),
    ...(text ? (state.results ?? []) : []).map((found) => ({
      key: keyOf(found).replace(":", "-"),
      path: pathOf(found),
      body: <FoundBody found={found} short />,
    })),
    ...(text ? ways(text) : []),
  ];
  const chosen = Math.min(at, Math.max(0, options.length - 1));

  const go = (option: Option | undefined) => {
    if (!option) return;
    close();
    navigate(option.path, { state: { visit: Date.now() } });
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, options.length));
    else if (event.key === "ArrowUp") setAt((chosen - 1 + options.length) % Math.max(1, options.length));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) go(options[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <TextInput
        size="md"
        variant="unstyled"
        placeholder="Search, or jump to a channel…"
        aria-label="Search, or jump to a channel"
        role="combobox"
        aria-expanded="true"
        aria-controls="switcher-list"
        aria-activedescendant={options[chosen] ? `switcher-${options[chosen].key}` : undefined}
        leftSection={<IconSearch size={18} />}
        rightSection={state.busy ? <Loader size={15} /> : null}
        maxLength={LONGEST_QUERY}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={pressed}
        data-autofocus
        data-testid="switcher-field"
      />
      <div role="listbox" id="switcher-list" aria-label="Channels and what was found">
        {options.map((option, index) => (
          <UnstyledButton
            key={option.key}
            id={`switcher-${option.key}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            data-active={index === chosen}
            className={classes.option}
            onMouseMove={() => setAt(index)}
            onClick={() => go(option)}
          >
            {option.body}
          </UnstyledButton>
        ))}
      </div>
      {state.problem && (
        <Text c="dimmed" size="sm" p="sm" role="alert">
          {state.problem}
        </Text>
      )}
    </>
  );
}

/** What can be done with any text. */
function ways(text: string): Option[] {
  const query = encodeURIComponent(text);
  return [
    {
      key: "all",
      path: `/search?q=${query}`,
      body: (
        <>
          <IconArrowRight size={17} aria-hidden="true" />
          <span className={classes.label}>All that is found for “{text}”</span>
        </>
      ),
    },
    {
      key: "ask",
      path: `/assistant?question=${query}`,
      body: (
        <>
          <IconSparkles size={17} aria-hidden="true" />
          <span className={classes.label}>Ask the assistant “{text}”</span>
        </>
      ),
    },
  ];
}
