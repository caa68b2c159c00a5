/**
 * An open database transaction, handed through the application without being looked at. Adapters made it and adapters
 * alone unwrap it; the application only says which statements belong together.
 */
export interface Transaction {
  readonly handle: unknown;
  /**
   * Whose rows it may see. Every statement of a repository names it, beside the row-level security that confines the
   * transaction: where one of the two is missing, the other still keeps tenants apart.
   */
  readonly tenantId: string;
}

/** Runs work inside a transaction that sees one tenant's rows alone. */
export abstract class TenantTransactions {
  /** Commits when `work` resolves, rolls back when it throws. Must be short: never wait for a receiver inside. */
  abstract run<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T>;
}
