/** Who is asking, as the verified token says. */
export interface Principal {
  readonly subject: string;
  /** Null when the token carries no valid tenant. */
  readonly tenantId: string | null;
  readonly scopes: ReadonlySet<string>;
}
