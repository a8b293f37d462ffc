import { createContext, useContext } from "react";
import type { Me, Role } from "../api/types";

export interface Session {
  me: Me;
  /** Whether somebody with this role, or a higher one, is signed in. */
  may: (role: Role) => boolean;
  /** Asks anew who that is: after somebody has changed himself. */
  refresh: () => Promise<void>;
  signOut: () => Promise<void>;
}

const rank: Record<Role, number> = { viewer: 0, member: 1, admin: 2 };

export function mayAct(me: Me, role: Role): boolean {
  return rank[me.role] >= rank[role];
}

export const SessionContext = createContext<Session | null>(null);

/** Whoever is signed in; only below the app's shell. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession outside of a session");
  return session;
}
