/** Who is asking, as the verified token says, or the session that was made from one. */
export interface Principal {
  readonly subject: string;
  /** Null when the token carries no valid tenant. */
  readonly tenantId: string | null;
  readonly scopes: ReadonlySet<string>;
  /** The session of the cookie; absent for a bearer token. */
  readonly session?: PrincipalSession;
}

export interface PrincipalSession {
  readonly id: string;
  /** Whoever has it may look and change nothing, whatever its scopes. */
  readonly isReadOnly: boolean;
  /** When it ends however much it is used. */
  readonly endsAt: Date;
}
