import { Pool } from 'undici';
import { phaseOf } from './dial.js';
import type { PinnedConnector, PoolUse } from './pinned-connector.js';

/**
 * An idle connection ends after this: before the 5 s after which Node, Apache and uvicorn close theirs, because a request
 * that crosses their closing fails, and is not sent again. A receiver's own `Keep-Alive: timeout` shortens it by as much
 * as undici keeps clear of it (2 s), and never lengthens it.
 */
const KEEP_ALIVE_MS = 4_000;
/** A busy connection is renewed after this many requests, so that a receiver's DNS change is noticed. */
const MAX_REQUESTS_PER_CONNECTION = 1_000;
/** Far above the origins that are busy at a time; the oldest makes room beyond it. */
const MAX_ORIGINS = 1_024;
const MAX_RESPONSE_HEADER_BYTES = 16 * 1024;

export interface OriginPoolsOptions {
  readonly connector: PinnedConnector;
  readonly connectionsPerOrigin: number;
  /** For tests; default 1,024. */
  readonly maxOrigins?: number;
}

interface Entry {
  readonly pool: Pool;
  readonly use: PoolUse;
}

/**
 * One undici pool per origin (scheme, host, port). An `Agent` would do, but its only limit on origins is to refuse new
 * ones. Here growth is bounded three ways: a pool that lost its last connection (4 s without use) is dropped; beyond
 * `maxOrigins` the one that was not used for the longest time is closed, which lets its requests end; and each holds at
 * most `connectionsPerOrigin` connections, further requests wait in it for their turn within their budget.
 */
export class OriginPools {
  readonly #entries = new Map<string, Entry>();
  /** Evicted ones whose last requests are still under way. */
  readonly #closing = new Set<Pool>();
  readonly #options: OriginPoolsOptions;

  constructor(options: OriginPoolsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The pool for `origin`, now the most recently used one. */
  get(origin: string, budgetMs: number): Pool {
    let entry = this.#entries.get(origin);
    if (entry) {
      // A Map keeps insertion order: taken out and put back, the entry is the youngest.
      this.#entries.delete(origin);
      entry.use.budgetMs = budgetMs;
    } else {
      entry = this.#create(origin, budgetMs);
    }
    this.#entries.set(origin, entry);
    this.#evictOldest();
    return entry.pool;
  }

  /** What keeps a request for `origin` from having a connection, where that is known. */
  phaseOf(origin: string): 'TLS handshake' | null {
    return phaseOf(this.#entries.get(origin)?.use.openings ?? []);
  }

  /** Ends every connection at once; requests that are still under way fail. */
  async destroy(): Promise<void> {
    const pools = [...this.#closing, ...[...this.#entries.values()].map(({ pool }) => pool)];
    this.#entries.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #create(origin: string, budgetMs: number): Entry {
    const use: PoolUse = { budgetMs, openings: new Set() };
    const entry: Entry = {
      use,
      pool: new Pool(origin, {
        connections: this.#options.connectionsPerOrigin,
        connect: this.#options.connector.forPool(use),
        // One request at a time: undici resends pipelined requests after an error, which would be a silent double POST.
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: KEEP_ALIVE_MS,
        maxRequestsPerClient: MAX_REQUESTS_PER_CONNECTION,
        maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
        // The exchange has one total budget; undici's own timers would only be more of them.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    };
    const dropWhenUnused = (): void => {
      const { connected, size } = entry.pool.stats;
      if (connected === 0 && size === 0 && this.#entries.get(origin) === entry) this.#drop(origin);
    };
    entry.pool.on('disconnect', dropWhenUnused).on('connectionError', dropWhenUnused);
    return entry;
  }

  #evictOldest(): void {
    const limit = this.#options.maxOrigins ?? MAX_ORIGINS;
    while (this.#entries.size > limit) {
      const oldest = this.#entries.keys().next();
      if (oldest.done) return;
      this.#drop(oldest.value);
    }
  }

  #drop(origin: string): void {
    const entry = this.#entries.get(origin);
    if (!entry) return;
    this.#entries.delete(origin);
    this.#closing.add(entry.pool);
    void entry.pool.close().finally(() => this.#closing.delete(entry.pool));
  }
}
