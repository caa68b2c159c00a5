/** Bounds of the engine in one process. */
export const ENGINE_LIMITS = {
  /** Requests under way to one endpoint. */
  perEndpoint: 16,
  /** Connections to one origin: many endpoints may share it, and each has its own bound above. */
  perOrigin: 256,
  /** Requests under way for one tenant: a share, so that one tenant cannot take every slot. */
  perTenant: 128,
  /** Requests under way in the whole process. */
  global: 512,
  /** Deliveries that a lane may start in one turn before others get theirs. */
  turnDeliveries: 200,
  /** Milliseconds after which a turn takes nothing new. */
  turnMs: 2_000,
  /** Milliseconds that a lease outlives the time budget of its attempt: room for writing the result. */
  leaseMarginMs: 5_000,
  /** Milliseconds between two sweeps. */
  sweepIntervalMs: 1_000,
  /** Lanes that one sweep rings at most; the next sweep takes the rest. */
  sweepLanes: 1_000,
} as const;
