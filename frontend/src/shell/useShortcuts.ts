/** The keys that work everywhere in the workspace. */
import { useEffect } from "react";
import { useLocation } from "wouter";
import { joined } from "../live/state";
import type { Workspace } from "../live/workspace";
import type { Dialog } from "./context";

function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function useShortcuts(workspace: Workspace, open: (dialog: Dialog) => void, busy: boolean): void {
  const [path, navigate] = useLocation();
  useEffect(() => {
    const step = (by: number) => {
      const mine = (workspace.state.get().channels ?? []).filter(joined);
      const at = mine.findIndex((channel) => path.startsWith(`/c/${channel.id}`));
      const next = mine[(at + by + mine.length) % mine.length];
      if (next) navigate(`/c/${next.id}`);
    };
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open("switcher");
      } else if (!busy && event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        step(event.key === "ArrowUp" ? -1 : 1);
      } else if (!busy && event.key === "?" && !writing(event.target)) {
        open("help");
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [workspace, open, busy, path, navigate]);
}
