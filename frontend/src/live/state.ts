/** What the signed-in web app knows at this moment, outside the messages themselves. */
import type { Channel, Job, Me, Person, PresenceState, ReportFormat, ReportKind } from "../api/types";
import type { Outgoing } from "../sync/outbox";
import { NO_NOTICES, type Notices } from "./notices";

export interface Typing {
  userId: string;
  until: number;
}

/** What is exported, and where on the page its progress is shown. */
export interface Report {
  kind: ReportKind;
  /** Null but for a channel. */
  channelId: string | null;
  /** What the file is called, without its ending. */
  name: string;
  format: ReportFormat;
}

export interface Export {
  report: Report;
  job: Job;
}

export interface WorkspaceState {
  me: Me;
  /** Null until the first list arrived. */
  channels: Channel[] | null;
  people: Record<string, Person>;
  presence: Record<string, PresenceState>;
  typing: Record<string, Typing[]>;
  outbox: readonly Outgoing[];
  exports: Export[];
  notices: Notices;
  /** How often each queue was told to have changed; absent until it was. */
  queueNews: Record<string, number>;
  /** How often documents were told to have changed, or may have without it being told. */
  documentNews: number;
  connected: boolean;
  /** The server answers that it is away for the moment. */
  strained: boolean;
  /** Channels whose first page could not be loaded, with the reason. */
  broken: Record<string, string>;
}

export function initialState(me: Me): WorkspaceState {
  return {
    me,
    channels: null,
    people: {},
    presence: {},
    typing: {},
    outbox: [],
    exports: [],
    notices: NO_NOTICES,
    queueNews: {},
    documentNews: 0,
    connected: false,
    strained: false,
    broken: {},
  };
}

export function joined(channel: Channel): boolean {
  return channel.joined ?? channel.member ?? true;
}

/** Put a changed channel into the list, sorted by name; a count the event does not carry stays. */
export function withChannel(list: readonly Channel[], channel: Partial<Channel> & { id: string }): Channel[] {
  const before = list.find((one) => one.id === channel.id);
  const fresh = { head: 0, unread: 0, mentions: 0, name: "", private: false, ...before, ...channel };
  return byName([...list.filter((one) => one.id !== channel.id), fresh]);
}

export function byName<T extends { name: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => a.name.localeCompare(b.name, undefined, { sensitivity: "base" }));
}
