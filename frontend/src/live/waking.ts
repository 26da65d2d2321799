/** After sleep, or when the network returns, a connection may look open and be dead: find out at once. */
import type { Workspace } from "./workspace";

const AWAY_LONG_MS = 10_000;
const PROBE_MS = 3_000;

export function watchWaking(workspace: Workspace): () => void {
  let hiddenAt = 0;
  const probe = async () => {
    const { connection, engine } = workspace;
    if (!connection.connected) {
      connection.hurry();
      return;
    }
    try {
      await connection.ask("sync", { cursors: {} }, PROBE_MS);
      await engine.sync();
    } catch {
      connection.replace();
    }
  };
  const visible = () => {
    if (document.visibilityState === "hidden") hiddenAt = Date.now();
    else if (!workspace.connection.connected || Date.now() - hiddenAt > AWAY_LONG_MS) void probe();
    if (document.visibilityState === "visible") workspace.reading.considerAll();
  };
  const online = () => void probe();
  document.addEventListener("visibilitychange", visible);
  window.addEventListener("online", online);
  window.addEventListener("focus", visible);
  return () => {
    document.removeEventListener("visibilitychange", visible);
    window.removeEventListener("online", online);
    window.removeEventListener("focus", visible);
  };
}
