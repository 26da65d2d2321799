/** What each event of the server does here. */
import type { AnswerStatus, Token } from "../api/assistant";
import type { ListedDocument } from "../api/knowledge";
import type { Channel, Hello, Job, MessageEvent, Notice, PresenceState } from "../api/types";
import type { Handlers } from "./socket";
import type { Typing } from "./state";
import type { Workspace } from "./workspace";

const TYPING_MS = 5_000;

interface ChannelChanged {
  channel_id: string;
  channel: (Partial<Channel> & { id: string }) | null;
}

export function handlersFor(workspace: Workspace): Handlers {
  const message = (event: MessageEvent) => {
    if (event.message.deleted_at) workspace.notices.deleted(event.message.id);
    stopTyping(workspace, event.channel_id, event.message.author_id);
    workspace.engine.event(event);
    if (event.message.author_id === workspace.state.get().me.id) workspace.outbox.seen(event.message);
    // A deleted message is unread no more, but whether it was counted only the server knows.
    else if (event.message.deleted_at && workspace.channel(event.channel_id)?.unread) workspace.engine.refreshSoon();
  };
  return {
    hello: (hello: Hello) => {
      workspace.state.set({ strained: false });
      void workspace.engine.hello(hello);
      void workspace.refreshPeople().catch(() => undefined);
      void workspace.notices.refresh().catch(() => workspace.notices.refreshSoon());
      workspace.answers.resume();
      workspace.documents.missed();
    },
    resync: () => {
      workspace.engine.resync();
      workspace.notices.refreshSoon();
      workspace.answers.resume();
      workspace.documents.missed();
    },
    heads: (event: { epoch: string; heads: Record<string, number> }) => workspace.engine.heads(event.epoch, event.heads),
    "message:new": message,
    "message:changed": message,
    "channel:changed": (event: ChannelChanged) => channelChanged(workspace, event),
    typing: (event: { channel_id: string; user_id: string }) => startTyping(workspace, event.channel_id, event.user_id),
    presence: (event: { user_id: string; state: PresenceState }) => presence(workspace, event),
    read: (event: { channel_id: string; seq: number }) => workspace.reading.apply(event.channel_id, event.seq),
    "notification:new": (event: { notification: Notice }) => workspace.notices.arrived(event.notification),
    "notification:read": (event: { ids: string[] | null; unread: number }) =>
      workspace.notices.wereRead(event.ids, event.unread),
    "queues:changed": (event: { queue: string }) => queueChanged(workspace, event.queue),
    "job:progress": (event: { job: Job }) => workspace.job(event.job),
    "document:changed": (event: { document_id?: string; document: ListedDocument | null }) => {
      const id = event.document_id ?? event.document?.id;
      if (id) workspace.documents.changed(id, event.document);
    },
    "assistant:token": (event: Token & { answer_id: string }) => workspace.answers.token(event),
    "assistant:done": (event: { answer_id: string; status: AnswerStatus }) => workspace.answers.done(event.answer_id),
    "assistant:position": (event: { answer_id: string; position: number }) =>
      workspace.answers.position(event.answer_id, event.position),
  };
}

/** The event is the same for all members, so the counts in it, if any, are nobody's: ours stay. */
function channelChanged(workspace: Workspace, { channel_id, channel }: ChannelChanged): void {
  if (channel === null) {
    workspace.removeChannel(channel_id);
    workspace.notices.refreshSoon();
    return;
  }
  const known = workspace.channel(channel_id);
  if (known) {
    workspace.putChannel({ id: channel_id, name: channel.name ?? known.name, private: channel.private ?? known.private });
  }
  void workspace.refreshChannels().catch(() => undefined);
}

function queueChanged(workspace: Workspace, queue: string): void {
  const { queueNews } = workspace.state.get();
  workspace.state.set({ queueNews: { ...queueNews, [queue]: (queueNews[queue] ?? 0) + 1 } });
}

function presence(workspace: Workspace, event: { user_id: string; state: PresenceState }): void {
  const { presence: known, people } = workspace.state.get();
  const before = workspace.presenceStale ? {} : known;
  workspace.presenceStale = false;
  workspace.state.set({ presence: { ...before, [event.user_id]: event.state } });
  // Somebody new has come: their name is not known here yet.
  if (!people[event.user_id]) void workspace.refreshPeople().catch(() => undefined);
}

function startTyping(workspace: Workspace, channelId: string, userId: string): void {
  const { typing, me } = workspace.state.get();
  if (userId === me.id) return;
  const others = (typing[channelId] ?? []).filter((one) => one.userId !== userId);
  const mine: Typing = { userId, until: Date.now() + TYPING_MS };
  workspace.state.set({ typing: { ...typing, [channelId]: [...others, mine] } });
  setTimeout(() => expire(workspace, channelId), TYPING_MS + 50);
}

function expire(workspace: Workspace, channelId: string): void {
  const { typing } = workspace.state.get();
  const list = typing[channelId] ?? [];
  const left = list.filter((one) => one.until > Date.now());
  if (left.length < list.length) workspace.state.set({ typing: { ...typing, [channelId]: left } });
}

function stopTyping(workspace: Workspace, channelId: string, userId: string): void {
  const { typing } = workspace.state.get();
  const list = typing[channelId];
  if (!list?.some((one) => one.userId === userId)) return;
  workspace.state.set({ typing: { ...typing, [channelId]: list.filter((one) => one.userId !== userId) } });
}
