/** Bounds of the engine in one process. */
export const ENGINE_LIMITS = {
  /**
   * Requests under way to one endpoint, over all processes; of those whose answer is in and not recorded yet it is no bound
   * of the endpoint any more, but they count until they are.
   */
  perEndpoint: 64,
  /** What of it one process uses follows from how the endpoint answers. */
  concurrency: { first: 1, least: 2, most: 64, promptMs: 1_000 },
  /** Deliveries that one statement may store as claimed already. */
  bornAtOnce: 128,
  /** Answers that wait to be recorded in one process; beyond it nothing new is claimed until some are. */
  unrecorded: 4_000,
  /**
   * Connections to one origin: as many as there are slots, because endpoints that share an origin must not wait for each
   * other in its pool. Each has its own bound above.
   */
  perOrigin: 5_408,
  /**
   * Attempts under way in one process, by how long they have been; see `AttemptSlots`. A tenant gets a share of each
   * account, and retries leave a quarter of it to first attempts.
   */
  slots: {
    fast: { total: 384, perTenant: 256, retries: 288, reserve: 32 },
    slow: { total: 384, perTenant: 128, retries: 288, reserve: 512 },
    /** A request that only waits costs a socket and little else, so these are the most. */
    hanging: { total: 3_072, perTenant: 128, retries: 2_304, reserve: 1_024 },
    /** Endpoints that have not answered yet leave half of the fast slots to those that have. */
    unproven: { total: 192, perTenant: 48 },
  },
  /** Milliseconds under way after which an attempt is slow, or hangs, and its endpoint with it. */
  paceAges: { slow: 250, hanging: 2_000 },
  /** Requests under way to one endpoint that are retries: the other places are kept for first attempts. */
  retriesPerEndpoint: 48,
  /** The same as a share of what one process lets the endpoint have. */
  retryShare: 0.75,
  /** Lanes of which one process remembers how they answer. */
  rememberedLanes: 100_000,
  /**
   * Milliseconds that a process's leases hold after its last sign of life: a dead one's deliveries go on within 6 s, and
   * one that was held up for three beats keeps its own.
   */
  aliveMs: 4_500,
  /** Milliseconds between two signs of life. */
  beatIntervalMs: 1_000,
  /** Milliseconds that a lease outlives the time budget of its attempt: room for writing the result. */
  leaseMarginMs: 5_000,
  /** Milliseconds between two sweeps. */
  sweepIntervalMs: 1_000,
  /** Lanes that one sweep rings at most; the next sweep takes the rest. */
  sweepLanes: 1_000,
  /**
   * Lanes that one sweep looks at, first attempts and retries apart: a tenth of a second at most, also where a hundred thousand
   * endpoints have a retry that is due in an hour. The next sweep goes on behind them.
   */
  sweepLooks: 10_000,
  /** Waiting deliveries that are counted for health and metrics. */
  backlogCounted: 100_000,
} as const;
