/** Where something that was found is shown. */
import type { Found } from "../api/knowledge";
import { passagePath } from "../documents/words";

export function pathOf(found: Pick<Found, "kind" | "id" | "version" | "start" | "end" | "channel_id" | "seq">): string {
  if (found.kind === "document") return passagePath(found.id, found.version, found.start, found.end);
  const channel = `/c/${encodeURIComponent(found.channel_id ?? "")}`;
  return found.seq === null ? channel : `${channel}/m/${found.seq}`;
}
