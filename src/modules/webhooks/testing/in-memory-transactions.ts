import { TenantTransactions, type Transaction } from '../application/ports/transaction.js';
import type { InMemoryStore } from './in-memory-store.js';

/** What a transaction handle of this adapter holds. */
class InMemoryHandle {
  readonly afterCommit: (() => void)[] = [];
  constructor(readonly tenantId: string) {}
}

/** One transaction after another, so that each decides on what the one before it committed. Must not be nested. */
export class InMemoryTransactions extends TenantTransactions {
  private last: Promise<unknown> = Promise.resolve();

  /** @param rollsBack whether what throws is undone; keeping what to go back to costs time with every row of the store */
  constructor(
    private readonly store: InMemoryStore,
    private readonly rollsBack = true,
  ) {
    super();
  }

  override async run<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const mine = this.last.then(() => this.alone(tenantId, work));
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private async alone<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const rollBack = this.rollsBack ? this.store.savepoint() : undefined;
    const handle = new InMemoryHandle(tenantId);
    try {
      const result = await work({ handle, tenantId });
      for (const act of handle.afterCommit) act();
      return result;
    } catch (cause) {
      rollBack?.();
      throw cause;
    }
  }
}

/** The tenant whose rows a transaction sees. */
export function tenantOf(transaction: Transaction): string {
  return handleOf(transaction).tenantId;
}

/** Has something done when the transaction commits; never when it rolls back. */
export function onCommit(transaction: Transaction, act: () => void): void {
  handleOf(transaction).afterCommit.push(act);
}

function handleOf(transaction: Transaction): InMemoryHandle {
  if (transaction.handle instanceof InMemoryHandle) return transaction.handle;
  throw new TypeError('This transaction was not opened by InMemoryTransactions');
}
