/** What somebody changed of themselves. */
import type { Me } from "../api/types";

type Profile = Pick<Me, "name" | "time_zone" | "digest">;

/** Give only what is another than before; null where nothing is. */
export function changesOf(before: Profile, after: Profile): Partial<Profile> | null {
  const changes: Partial<Profile> = {};
  if (after.name !== before.name) changes.name = after.name;
  if (after.time_zone !== before.time_zone) changes.time_zone = after.time_zone;
  if (after.digest !== before.digest) changes.digest = after.digest;
  return Object.keys(changes).length > 0 ? changes : null;
}
