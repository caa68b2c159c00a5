import type { ClosedBatches } from './batch-gate.js';
import type { Circuit } from './circuit.js';
import type { OrderHeads } from './order-gate.js';
import type { RateLimit } from './rate-limit.js';

/** What gates look at: a lane's row, and what its subscription asks for. Times are milliseconds. */
export interface GatedLane {
  /** By the tenant, until somebody resumes it. */
  readonly isPaused: boolean;
  readonly circuit: GatedCircuit;
  /** The endpoint asked for nothing before; null: it did not. */
  readonly heldUntilMs: number | null;
  /** What is next in the order that its endpoint wants; null: it wants none. */
  readonly heads: OrderHeads | null;
  /** What is closed of the batches that it takes; null: it takes single events, or what is left waits for its order. */
  readonly batches: ClosedBatches | null;
  readonly rateLimit: RateLimit | null;
  /** The first slot that no delivery has yet; null before the first. */
  readonly rateNextAtMs: number | null;
}

/** What of a circuit keeps a lane back. */
export type GatedCircuit = Pick<Circuit, 'state' | 'nextProbeAtMs' | 'ramp'>;

export interface GateAnswer {
  /** How many of the wanted deliveries may be attempted now. */
  readonly granted: number;
  /** When it is worth asking for the others; null: nobody knows, or there are none. */
  readonly untilMs: number | null;
}

/** Something that may keep a lane back. A pure rule, and a function of the database that says the same. */
export type Gate = (lane: GatedLane, wanted: number, nowMs: number) => GateAnswer;
