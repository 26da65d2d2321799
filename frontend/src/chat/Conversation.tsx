/** A channel's messages and the place to write. */
import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Channel } from "../api/types";
import { useChannelVersion, useLive, useWorkspace } from "../shell/context";
import { pickBroken, pickMe, pickOutbox } from "../shell/pick";
import { readMark } from "../sync/unread";
import { useActions } from "./actions";
import classes from "./chat.module.css";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { isMember, JoinBar } from "./Place";
import { Skeletons } from "./Skeletons";
import { Announcer } from "./Announcer";
import { useRowContext } from "./useRowContext";
import { useReach } from "./useTarget";
import type { Target } from "./where";

interface Props {
  channel: Channel;
  /** The message one came for. */
  target: Target | null;
}

export function Conversation({ channel, target }: Props) {
  const workspace = useWorkspace();
  const version = useChannelVersion(channel.id);
  const me = useLive(pickMe);
  const outbox = useLive(pickOutbox);
  const broken = useLive(pickBroken)[channel.id];
  const [editing, setEditing] = useState<string | null>(null);
  const actions = useActions(channel.id, setEditing);
  const context = useRowContext(actions, false);
  const log = workspace.engine.log(channel.id);
  const loaded = log?.loaded ?? false;
  const messages = useMemo(
    () => (loaded ? (workspace.engine.log(channel.id)?.list() ?? []) : []),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the version says when the list is another
    [workspace, channel.id, loaded, version],
  );
  const waiting = useMemo(() => outbox.filter((item) => item.channel_id === channel.id), [outbox, channel.id]);
  const reach = useReach(channel.id, target);
  const mark = useNewMark(channel, loaded, messages.length > 0 ? messages : null, me.id);

  const editLast = useCallback(() => {
    const last = messages.findLast((one) => one.author_id === me.id && !one.deleted_at);
    if (last) setEditing(last.id);
  }, [messages, me.id]);
  const older = useCallback(() => workspace.engine.older(channel.id), [workspace, channel.id]);
  const atEnd = useCallback((end: boolean) => workspace.reading.setAtEnd(channel.id, end), [workspace, channel.id]);
  useEffect(() => () => workspace.reading.setAtEnd(channel.id, false), [workspace, channel.id]);

  return (
    <section className={classes.column} aria-label={`Channel ${channel.name}`}>
      {!loaded && broken && <Broken reason={broken} again={() => void workspace.open(channel.id)} />}
      {!loaded && !broken && <Skeletons />}
      {loaded && reach.target && !reach.reached && (
        <div className={classes.looking} role="status">
          <Loader size={14} type="dots" /> Looking for that message…
        </div>
      )}
      {loaded && (
        <MessageList
          messages={messages}
          waiting={waiting}
          older={log?.older ?? false}
          loadOlder={older}
          mark={mark}
          editing={editing}
          context={context}
          atEnd={atEnd}
          beginning={<Beginning channel={channel} />}
          reach={reach}
        />
      )}
      <Announcer messages={messages} />
      {isMember(channel) ? (
        <Composer channel={channel} threadId={null} editLast={editLast} />
      ) : (
        <JoinBar channel={channel} />
      )}
    </section>
  );
}

/** Where the "new messages" line stands: set when unread messages appear, kept while one reads. */
function useNewMark(
  channel: Channel,
  loaded: boolean,
  messages: readonly { seq: number }[] | null,
  myId: string,
): number | null {
  const workspace = useWorkspace();
  const [mark, setMark] = useState<number | null>(null);
  // What was unread when the channel came on screen: reading it sets the count to nothing at once.
  const pending = useRef(channel.unread);
  const before = useRef(channel.unread);
  useEffect(() => {
    if (before.current === 0 && channel.unread > 0) pending.current = channel.unread;
    before.current = channel.unread;
    if (!loaded || messages === null || pending.current === 0) return;
    const list = workspace.engine.log(channel.id)?.list() ?? [];
    setMark(readMark(list, pending.current, myId));
    pending.current = 0;
  }, [channel.unread, channel.id, loaded, messages, myId, workspace]);
  return mark;
}

function Beginning({ channel }: { channel: Channel }) {
  return (
    <div className={classes.beginning}>
      <Text fw={680} size="lg">
        {channel.private ? "" : "#"}
        {channel.name}
      </Text>
      <Text c="dimmed" size="sm">
        This is where {channel.private ? "this private channel" : "the channel"} begins. Say what it is for, or just say
        hello.
      </Text>
    </div>
  );
}

function Broken({ reason, again }: { reason: string; again: () => void }) {
  return (
    <Center flex={1} p="lg">
      <Stack align="center" gap="sm" role="alert">
        <Text>{reason}</Text>
        <Button variant="default" onClick={again}>
          Try again
        </Button>
      </Stack>
    </Center>
  );
}
