/** Bounds of the engine in one process. */
export const ENGINE_LIMITS = {
  /** Requests under way to one endpoint. */
  perEndpoint: 16,
  /**
   * Connections to one origin: as many as there are slots, because endpoints that share an origin must not wait for each
   * other in its pool. Each has its own bound above.
   */
  perOrigin: 3_328,
  /**
   * Attempts under way in one process, by how long they have been; see `AttemptSlots`. A tenant gets a share of each
   * account, and retries leave a quarter of it to first attempts.
   */
  slots: {
    fast: { total: 384, perTenant: 256, retries: 288 },
    slow: { total: 384, perTenant: 128, retries: 288, reserve: 512 },
    /** A request that only waits costs a socket and little else, so these are the most. */
    hanging: { total: 1_024, perTenant: 128, retries: 768, reserve: 1_024 },
    /** Endpoints that have not answered yet leave half of the fast slots to those that have. */
    unproven: { total: 192, perTenant: 48 },
  },
  /** Milliseconds under way after which an attempt is slow, or hangs, and its endpoint with it. */
  paceAges: { slow: 250, hanging: 2_000 },
  /** Requests under way to one endpoint that are retries: the other places are kept for first attempts. */
  retriesPerEndpoint: 12,
  /** Requests under way to an endpoint that has not answered yet. */
  perUnprovenEndpoint: 1,
  /** Lanes of which one process remembers how they answer. */
  rememberedLanes: 100_000,
  /** Milliseconds that a lease outlives the time budget of its attempt: room for writing the result. */
  leaseMarginMs: 5_000,
  /** Milliseconds between two sweeps. */
  sweepIntervalMs: 1_000,
  /** Lanes that one sweep rings at most; the next sweep takes the rest. */
  sweepLanes: 1_000,
} as const;
