/** The parts of the workspace's state that components follow; one function each, so that each stays the same. */
import type { WorkspaceState } from "../live/state";

export const pickMe = (state: WorkspaceState) => state.me;
export const pickChannels = (state: WorkspaceState) => state.channels;
export const pickPeople = (state: WorkspaceState) => state.people;
export const pickPresence = (state: WorkspaceState) => state.presence;
export const pickTyping = (state: WorkspaceState) => state.typing;
export const pickOutbox = (state: WorkspaceState) => state.outbox;
export const pickExports = (state: WorkspaceState) => state.exports;
export const pickNotices = (state: WorkspaceState) => state.notices;
export const pickQueueNews = (state: WorkspaceState) => state.queueNews;
export const pickDocumentNews = (state: WorkspaceState) => state.documentNews;
export const pickConnected = (state: WorkspaceState) => state.connected;
export const pickStrained = (state: WorkspaceState) => state.strained;
export const pickBroken = (state: WorkspaceState) => state.broken;
