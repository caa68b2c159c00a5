import type { Gate } from './gate.js';

/** What of a lane with an order may go now. */
export interface OrderHeads {
  /** Deliveries that are the next of their keys, and due, with nothing of the key under way. */
  readonly due: number;
  /** When another one may go; null: nobody knows, because something is under way. */
  readonly untilMs: number | null;
}

/** One of each key at a time. The function `webhook_gate_order`. */
export const orderGate: Gate = ({ heads }, wanted) =>
  heads === null || heads.due >= wanted
    ? { granted: wanted, untilMs: null }
    : { granted: heads.due, untilMs: heads.untilMs };
