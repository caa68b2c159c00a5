import type { JobsOptions } from 'bullmq';

import type { Lane } from '../../domain/lane.js';

/** The BullMQ queue of lane rings. */
export const LANE_QUEUE = 'webhook-lanes';

/** A ring carries ids only, never a payload or a secret. */
export type LaneJob = Lane;

/**
 * At most one active and one waiting job for each lane, and a ring during a turn is kept for after it. Finished jobs go
 * at once: attempts are recorded in PostgreSQL alone.
 */
export function ringOptions(lane: Lane): JobsOptions {
  return {
    deduplication: { id: lane.subscriptionId, keepLastIfActive: true },
    removeOnComplete: true,
    removeOnFail: true,
  };
}
