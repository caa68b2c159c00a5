import type { Gate } from './gate.js';

/** What of a lane with batches may go now. */
export interface ClosedBatches {
  /** Requests whose batch is closed. */
  readonly due: number;
  /** When the next one closes; null: there is none. */
  readonly untilMs: number | null;
}

/** Nothing goes before its batch is closed. The function `webhook_gate_batch`. */
export const batchGate: Gate = ({ batches }, wanted) =>
  batches === null || batches.due >= wanted
    ? { granted: wanted, untilMs: null }
    : { granted: batches.due, untilMs: batches.untilMs };
