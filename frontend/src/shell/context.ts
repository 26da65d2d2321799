/** The workspace, and the shell's dialogs, for every component below the shell. */
import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { Workspace } from "../live/workspace";
import type { WorkspaceState } from "../live/state";
import { useStore } from "../live/store";

export type Dialog = "new-channel" | "browse" | "switcher" | "help" | "invite" | "profile";

export interface ShellValue {
  workspace: Workspace;
  open: (dialog: Dialog) => void;
  /** Show the sidebar where it is a drawer. */
  showSidebar: () => void;
  showNotifications: () => void;
}

export const ShellContext = createContext<ShellValue | null>(null);

export function useShell(): ShellValue {
  const value = use(ShellContext);
  if (!value) throw new Error("useShell needs a ShellContext above it.");
  return value;
}

export function useWorkspace(): Workspace {
  return useShell().workspace;
}

/** Follow one part of the workspace's state; `pick` must be a stable function. */
export function useLive<P>(pick: (state: WorkspaceState) => P): P {
  return useStore(useWorkspace().state, pick);
}

/** Redraw whenever the channel's messages change. */
export function useChannelVersion(channelId: string): number {
  const workspace = useWorkspace();
  const follow = useCallback((listener: () => void) => workspace.follow(channelId, listener), [workspace, channelId]);
  return useSyncExternalStore(follow, () => workspace.version(channelId));
}
