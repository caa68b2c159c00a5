import type { JobsOptions, WorkerOptions } from 'bullmq';

import type { Lane } from '../../domain/lane.js';

/** The BullMQ queue of lane rings. */
export const LANE_QUEUE = 'webhook-lanes';

/** A ring carries ids only, never a payload or a secret: of one lane, or of many that were rung in one moment. */
export type LaneJob = Lane | { readonly lanes: readonly Lane[] };

/** A ring as BullMQ takes it. */
export interface Ring {
  readonly name: string;
  readonly data: LaneJob;
  readonly opts: JobsOptions;
}

/** The half of a BullMQ queue that rings, whatever stores it. */
export interface RingQueue {
  /** Answers the id of each: of the one that is there already, where it was not taken. */
  addBulk(rings: Ring[]): Promise<readonly { readonly id?: string | undefined }[]>;
  on(event: 'error', listener: (cause: Error) => void): unknown;
}

/** Milliseconds after which the turn of a killed worker is given to another; a live worker renews it at half of that. */
const LOCK_MS = 5_000;

/** The half that gives turns. */
export const TURN_OPTIONS = {
  // Only when told to, so that `WEBHOOK_ROLE` decides.
  autorun: false,
  // Turns at once in one process: they wait for PostgreSQL alone, and one claim serves many of them.
  concurrency: 128,
  lockDuration: LOCK_MS,
  stalledInterval: LOCK_MS,
  // How often a turn may be taken over: attempts are counted in PostgreSQL, so the job itself must never be given up.
  maxStalledCount: 1_000_000,
  drainDelay: 1,
  // Milliseconds after which the worker asks a broker again that refused a command; BullMQ itself would sleep for 15 s.
  runRetryDelay: 1_000,
} as const satisfies Partial<WorkerOptions>;

/** Finished jobs go at once: attempts are recorded in PostgreSQL alone. */
const FORGOTTEN = { removeOnComplete: true, removeOnFail: true } as const;

/** At most one active and one waiting job for each lane, and a ring during a turn is kept for after it. */
export function ringOf(lane: Lane): Ring {
  return {
    name: 'ring',
    data: lane,
    opts: { deduplication: { id: lane.subscriptionId, keepLastIfActive: true }, ...FORGOTTEN },
  };
}

/** Many lanes in one job, of which there is one of a name at a time. */
export function packOf(lanes: readonly Lane[], name: string): Ring {
  return { name: 'rings', data: { lanes }, opts: { deduplication: { id: name }, ...FORGOTTEN } };
}
