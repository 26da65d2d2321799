/** Jump to a channel by a few letters of its name. */
import { Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState, type KeyboardEvent } from "react";
import { useLocation } from "wouter";
import type { Channel } from "../api/types";
import { useLive } from "./context";
import { pickChannels } from "./pick";
import { rank } from "./rank";
import classes from "./shell.module.css";
import { ChannelIcon } from "./Sidebar";

const MOST = 8;

export function Switcher({ close }: { close: () => void }) {
  const channels = useLive(pickChannels);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const [, navigate] = useLocation();
  const found = rank(channels ?? [], query).slice(0, MOST);
  const chosen = Math.min(at, Math.max(0, found.length - 1));

  const go = (channel: Channel | undefined) => {
    if (!channel) return;
    close();
    navigate(`/c/${channel.id}`);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setAt((chosen - 1 + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) go(found[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <TextInput
        size="md"
        variant="unstyled"
        placeholder="Jump to a channel…"
        aria-label="Jump to a channel"
        role="combobox"
        aria-expanded="true"
        aria-controls="switcher-list"
        aria-activedescendant={found[chosen] ? `switcher-${found[chosen].id}` : undefined}
        leftSection={<IconSearch size={18} />}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={pressed}
        data-autofocus
      />
      <div role="listbox" id="switcher-list" aria-label="Channels">
        {found.map((channel, index) => (
          <UnstyledButton
            key={channel.id}
            id={`switcher-${channel.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            data-active={index === chosen}
            className={classes.option}
            onMouseEnter={() => setAt(index)}
            onClick={() => go(channel)}
          >
            <ChannelIcon channel={channel} />
            <span className={classes.label}>{channel.name}</span>
            {channel.unread > 0 && <span className={classes.badge}>{channel.unread}</span>}
          </UnstyledButton>
        ))}
        {found.length === 0 && (
          <Text c="dimmed" size="sm" p="sm">
            Nothing is called that.
          </Text>
        )}
      </div>
    </>
  );
}
