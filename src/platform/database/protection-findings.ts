/** What was found about a database, each with the statement that mends it. */
export interface Findings {
  /** The service cannot work. */
  readonly fatal: readonly string[];
  /** Tenants may not be apart: refused in production, warned of otherwise. */
  readonly unsafe: readonly string[];
  /** Worth a warning anywhere. */
  readonly notes: readonly string[];
}

export type Query = <Row>(sql: string, parameters: readonly unknown[]) => Promise<Row[]>;
