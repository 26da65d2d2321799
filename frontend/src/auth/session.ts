/** Entering and leaving, for every page that does either. */
import { createContext, use } from "react";
import type { Me } from "../api/types";

export interface Session {
  /** Why somebody stands at the sign-in page, where that needs saying. */
  notice: string | null;
  entered: (me: Me) => void;
  /** `ended`: the server ended it, not the person. */
  left: (ended: boolean) => void;
  renamed: (me: Me) => void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("useSession needs a SessionContext above it.");
  return session;
}
