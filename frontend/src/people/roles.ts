/** Roles in words, and which of them somebody may give. */
import type { Role } from "../api/types";

const ORDER: Role[] = ["owner", "admin", "member", "guest"];

export const ROLE_WORDS: Record<Role, string> = { owner: "Owner", admin: "Admin", member: "Member", guest: "Guest" };

/** Nobody gives a role above their own. */
export function rolesFor(mine: Role): { value: Role; label: string }[] {
  return ORDER.slice(ORDER.indexOf(mine)).map((role) => ({ value: role, label: ROLE_WORDS[role] }));
}

/** Owners and admins look after people, queues and the audit log. */
export function manages(mine: Role): boolean {
  return mine === "owner" || mine === "admin";
}

export function outranks(mine: Role, other: Role): boolean {
  return manages(mine) && ORDER.indexOf(mine) <= ORDER.indexOf(other);
}
