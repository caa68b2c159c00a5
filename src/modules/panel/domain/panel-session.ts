/** Whom a session speaks for, and what it may. */
export interface PanelSession {
  readonly id: string;
  /** Null for an administrator's, which is of no tenant. */
  readonly tenantId: string | null;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly isReadOnly: boolean;
}

/** How long a session has been open, and not used, by the clock of whoever stores it. */
export interface SessionAge {
  readonly ageMs: number;
  readonly idleMs: number;
}

/** Milliseconds. */
export const SESSION_LIMITS = {
  /** That a link can be used: long enough for a redirect, too short to be found in a history. */
  linkMs: 60_000,
  /** Without a request. */
  idleMs: 30 * 60_000,
  /** However much it is used: a working day. */
  totalMs: 8 * 3_600_000,
  /** Use is noted so often: a session ends up to so much before its half hour without a request, and reads write nothing. */
  noteMs: 15_000,
} as const;

export type SessionLimits = { readonly [Name in keyof typeof SESSION_LIMITS]: number };

export function hasEnded({ ageMs, idleMs }: SessionAge, limits: SessionLimits = SESSION_LIMITS): boolean {
  return ageMs >= limits.totalMs || idleMs >= limits.idleMs;
}

/** Scopes that allow to change something, by their name. */
const WRITE_SCOPE = /:write$/;

/** What a session may of what the token may that it is made with: never more. */
export function sessionScopes(granted: ReadonlySet<string>, isReadOnly: boolean): readonly string[] {
  return [...granted].filter((scope) => !isReadOnly || !WRITE_SCOPE.test(scope)).sort();
}
