import type { CountedAttempts } from '../../domain/statistics.js';
import type { StatisticsRange } from '../../domain/statistics-range.js';
import type { Transaction } from './transaction.js';

/**
 * Counted attempts, as the engine's settlements leave them. Must not come in: what they come to, which is the domain's.
 */
export abstract class AttemptStatistics {
  /** Of a tenant, or of one of its subscriptions: every attempt that was recorded when this was asked, and each once. */
  abstract counted(
    transaction: Transaction,
    range: StatisticsRange,
    subscriptionId: string | null,
  ): Promise<readonly CountedAttempts[]>;
  /**
   * Folds some of what was added into the rollups.
   *
   * @returns whether there may be more of it
   */
  abstract fold(): Promise<boolean>;
  /** Removes rollups that are older than they are to be kept. @returns whether there may be more of them */
  abstract forget(): Promise<boolean>;
}
