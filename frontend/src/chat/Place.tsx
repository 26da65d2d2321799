/** One channel's place: the conversation, and beside it a thread where one is open. */
import { Button, Center, Stack, Text } from "@mantine/core";
import { IconLogin2 } from "@tabler/icons-react";
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
import { ExportMenu } from "../reports/ExportMenu";
import classes from "./chat.module.css";
import { Conversation } from "./Conversation";
import { Skeletons } from "./Skeletons";
import { Thread } from "./Thread";
import { useTarget } from "./useTarget";

interface Props {
  channelId: string;
  rootId: string | null;
  /** The place of the message one came for. */
  seq: number | null;
}

export function Place({ channelId, rootId, seq }: Props) {
  const workspace = useWorkspace();
  const target = useTarget(seq);
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
      <ExportCard place={channel.id} />
      <div className={classes.place} data-thread={rootId !== null}>
        <Conversation channel={channel} target={rootId ? null : target} />
        {rootId && <Thread key={rootId} channel={channel} rootId={rootId} target={target} />}
      </div>
    </>
  );
}

function Header({ channel }: { channel: Channel }) {
  return (
    <TopBar title={channel.name} icon={<ChannelIcon channel={channel} size={19} />}>
      <ExportMenu
        label="Export this channel"
        report={{ kind: "channel", channelId: channel.id, name: channel.name }}
      />
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
