/** What one batch removed. */
export interface RemovedHistory {
  readonly events: number;
  readonly deliveries: number;
}

/**
 * The finished history of every tenant, oldest first, for its removal. Ages are the database's: by `created_at` of the
 * event. An event with an unfinished delivery, or with one that is younger (somebody replayed it), is left alone. Each
 * call is one short transaction. Must not come in: how long anything is kept, which is the caller's.
 */
export abstract class ExpiredHistory {
  /**
   * Removes up to `limit` deliveries, and up to `limit` events that have none left, with all their attempts.
   *
   * @returns null when another process is removing at this moment
   */
  abstract remove(olderThanDays: number, limit: number): Promise<RemovedHistory | null>;
  /**
   * Removes the payload of up to `limit` events; the rows stay.
   *
   * @returns how many; null when another process is removing at this moment
   */
  abstract removePayloads(olderThanDays: number, limit: number): Promise<number | null>;
}
