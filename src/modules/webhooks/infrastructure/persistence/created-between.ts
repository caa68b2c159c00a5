import { firstUuidAt } from '../../../../platform/kernel/uuid.js';

/**
 * Milliseconds that a transaction may have been under way when it stored a delivery: `created_at` is when the transaction
 * began, the id's time is when the row was made. Whatever lies in between is read and passed over, so it is not longer.
 */
export const LONGEST_TRANSACTION_MS = 600_000;

/** Milliseconds that a clock which made ids may differ from the database's, by which rows are chosen. */
export const CLOCK_SKEW_MS = 3_600_000;

/** By how much ids may lie beside `created_at`, in milliseconds. */
export interface IdMargins {
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Made by the clock of the database, in the transaction whose start is `created_at`. */
export const IDS_OF_DELIVERIES: IdMargins = { beforeMs: 0, afterMs: LONGEST_TRANSACTION_MS };

/** Made by the clock of the process that emits. */
export const IDS_OF_EVENTS: IdMargins = { beforeMs: CLOCK_SKEW_MS, afterMs: CLOCK_SKEW_MS };

/** Ids between which everything lies that was created within a time: `from` inclusive, `to` exclusive. */
export interface IdBounds {
  readonly from?: string;
  readonly to?: string;
}

/**
 * A window of time as a range of ids, which begin with a time: the list's own index then answers for the window, and the
 * exact comparison beside it looks at little else.
 */
export function idBounds(
  { since, until }: { readonly since?: Date | undefined; readonly until?: Date | undefined },
  { beforeMs, afterMs }: IdMargins,
): IdBounds {
  return {
    ...(since === undefined ? {} : { from: firstUuidAt(new Date(since.getTime() - beforeMs)) }),
    ...(until === undefined ? {} : { to: firstUuidAt(new Date(until.getTime() + afterMs)) }),
  };
}
