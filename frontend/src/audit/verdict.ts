/** What a check of the log found, in words. */
import type { AuditCheck } from "../api/types";

export function checkWords({ entries, sealed, intact, broken_at }: AuditCheck): string {
  const many = `${sealed.toLocaleString()} of ${entries.toLocaleString()} entries are sealed`;
  if (intact) return `The log is intact: ${many}, and each of them is what it was.`;
  const place = broken_at ? `Something is changed or missing at entry ${broken_at}` : "Sealed entries are missing";
  return `The log is not what was sealed. ${place}; ${many}. Compare it with a backup.`;
}
