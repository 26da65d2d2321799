/** What the sync engine needs of the world around it. */
import type { Message, MessagePage, SyncAnswer, SyncRequest } from "../api/types";

export interface Ports {
  /** Ask the server by socket what changed; rejects while there is no connection. */
  sync: (request: SyncRequest) => Promise<SyncAnswer>;
  page: (channelId: string, before?: number) => Promise<MessagePage>;
  /** Fetch the channel list with its unread counts again. */
  refreshChannels: () => Promise<void>;
  /** The channel changed up to number `head`; `fresh` are messages posted since that nobody here has seen. */
  changed: (channelId: string, fresh: Message[], head: number) => void;
  /** The channel may no longer be seen. */
  gone: (channelId: string) => void;
  /** The highest change number known for a channel that was never opened. */
  knownHead: (channelId: string) => number | null;
  setTimer: (run: () => void, ms: number) => unknown;
  clearTimer: (timer: unknown) => void;
  random: () => number;
}
