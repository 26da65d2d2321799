/** Find a public channel and join it. */
import { Button, Stack, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import { joined } from "../live/state";
import type { Channel } from "../api/types";
import { useLive, useWorkspace } from "./context";
import { pickChannels, pickMe } from "./pick";
import classes from "./shell.module.css";
import { ChannelIcon } from "./Sidebar";
import { tellError } from "./tell";

export function Browse({ close }: { close: () => void }) {
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const channels = useLive(pickChannels);
  const [query, setQuery] = useState("");
  const [, navigate] = useLocation();
  const found = (channels ?? []).filter(
    (one) => !one.private && one.name.toLowerCase().includes(query.trim().toLowerCase()),
  );

  const enter = async (channel: Channel) => {
    try {
      if (!joined(channel)) {
        await api.channels.join(channel.id, me.id);
        await workspace.refreshChannels();
      }
      close();
      navigate(`/c/${channel.id}`);
    } catch (error) {
      tellError(error);
    }
  };

  return (
    <Stack gap="xs">
      <TextInput
        placeholder="Find a channel"
        aria-label="Find a channel"
        leftSection={<IconSearch size={16} />}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        data-autofocus
      />
      <div>
        {found.map((channel) => (
          <div key={channel.id} className={classes.option}>
            <ChannelIcon channel={channel} />
            <span className={classes.label}>{channel.name}</span>
            <Button size="xs" variant={joined(channel) ? "default" : "light"} onClick={() => void enter(channel)}>
              {joined(channel) ? "Open" : "Join"}
            </Button>
          </div>
        ))}
        {found.length === 0 && (
          <Text c="dimmed" size="sm" p="sm">
            {query ? "No public channel is called that." : "There are no public channels yet."}
          </Text>
        )}
      </div>
    </Stack>
  );
}
