import type { HoldReason } from '../../domain/delivery.js';

/** How many deliveries are held, by the reason that is named first. */
export type HeldCounts = Readonly<Record<HoldReason, number>>;

/**
 * Deliveries of every tenant that something keeps back. Each call is one short transaction. Must not come in: how long
 * anything may be held, which is the caller's, and holding, which is the engine's.
 */
export abstract class HeldDeliveries {
  /**
   * Ends up to `limit` deliveries that have been held for longer than so many days.
   *
   * @returns how many; null when another process is at it
   */
  abstract end(olderThanDays: number, lastError: string, limit: number): Promise<number | null>;
  abstract count(): Promise<HeldCounts>;
}
