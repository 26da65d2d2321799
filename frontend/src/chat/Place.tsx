/** One channel's place: the conversation, and beside it a thread where one is open. */
import { ActionIcon, Button, Center, Stack, Text, Tooltip } from "@mantine/core";
import { IconDownload, IconLogin2 } from "@tabler/icons-react";
import { useEffect } from "react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import type { Channel } from "../api/types";
import { joined } from "../live/state";
import { writeLastChannel } from "../live/shelf";
import { useLive, useWorkspace } from "../shell/context";
import { pickChannels, pickMe } from "../shell/pick";
import { ChannelIcon } from "../shell/Sidebar";
import { tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";
import { ExportCard } from "../reports/ExportCard";
import classes from "./chat.module.css";
import { Conversation } from "./Conversation";
import { Skeletons } from "./Skeletons";
import { Thread } from "./Thread";

interface Props {
  channelId: string;
  rootId: string | null;
}

export function Place({ channelId, rootId }: Props) {
  const workspace = useWorkspace();
  const channels = useLive(pickChannels);
  const me = useLive(pickMe);
  const channel = channels?.find((one) => one.id === channelId);
  useEffect(() => {
    if (!channel) return undefined;
    writeLastChannel(me.id, channelId);
    const release = workspace.engine.watch(channelId);
    void workspace.open(channelId);
    return () => void release();
  }, [workspace, channelId, me.id, channel === undefined]); // eslint-disable-line react-hooks/exhaustive-deps -- the channel's presence counts, not its counts

  if (!channels) {
    return (
      <>
        <TopBar title="" />
        <Skeletons />
      </>
    );
  }
  if (!channel) return <Gone />;
  return (
    <>
      <Header channel={channel} />
      <ExportCard channelId={channel.id} />
      <div className={classes.place} data-thread={rootId !== null}>
        <Conversation channel={channel} />
        {rootId && <Thread key={rootId} channel={channel} rootId={rootId} />}
      </div>
    </>
  );
}

function Header({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const start = () => void workspace.exports.start(channel.id, channel.name).catch(tellError);
  return (
    <TopBar title={channel.name} icon={<ChannelIcon channel={channel} size={19} />}>
      <Tooltip label="Export this channel as CSV">
        <ActionIcon
          ml="auto"
          size="lg"
          variant="subtle"
          color="gray"
          aria-label="Export this channel as CSV"
          data-testid="export-button"
          onClick={start}
        >
          <IconDownload size={19} />
        </ActionIcon>
      </Tooltip>
    </TopBar>
  );
}

function Gone() {
  const [, navigate] = useLocation();
  return (
    <>
      <TopBar title="Not here" />
      <Center flex={1} p="lg">
        <Stack align="center" gap="sm">
          <Text fw={600}>This channel is not here, or not for you to see.</Text>
          <Button variant="default" onClick={() => navigate("/")}>
            To my channels
          </Button>
        </Stack>
      </Center>
    </>
  );
}

/** Shown in place of the composer to those who only look in. */
export function JoinBar({ channel }: { channel: Channel }) {
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const join = async () => {
    try {
      await api.channels.join(channel.id, me.id);
      await workspace.refreshChannels();
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <div className={classes.joinBar}>
      <Text size="sm">You are looking into #{channel.name}.</Text>
      <Button size="xs" leftSection={<IconLogin2 size={16} />} onClick={() => void join()} data-testid="join">
        Join to take part
      </Button>
    </div>
  );
}

export function isMember(channel: Channel): boolean {
  return joined(channel);
}
