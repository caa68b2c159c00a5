import { Redis } from 'ioredis';

import { eventually } from '../../support/eventually.js';
import type { Emitter } from './emitter-process.js';
import type { FaultLab } from './lab.js';
import type { SeededRandom } from './random.js';
import type { Worker } from './worker.js';

const FAULTS = [
  'kill_worker',
  'kill_worker',
  'terminate_worker',
  'freeze_briefly',
  'freeze_past_lease',
  'flush_redis',
  'restart_redis',
  'crash_redis',
  'cut_connections',
  'restart_postgres',
  'crash_postgres',
  'kill_emitter',
] as const;

type Fault = (typeof FAULTS)[number];

/** Milliseconds that a commit which does not wait for the disk may not be on it: three times `wal_writer_delay`, and a busy disk. */
const UNSAVED_MS = 2_000;

/** Milliseconds, beyond the 6 s that a lease of an attempt of 1 s lasts. */
const PAST_LEASE_MS = 10_000;

/**
 * Breaks one thing after the other, in an order that the seed decides, and mends it again: it leaves three workers, an
 * emitter, Redis and PostgreSQL behind. What it did stands in {@link log}.
 */
export class Nemesis {
  readonly log: string[] = [];
  private frozen: { readonly worker: Worker; readonly thawAtMs: number } | null = null;
  private emitterOrNone: Emitter | null = null;

  constructor(
    private readonly lab: FaultLab,
    private readonly random: SeededRandom,
  ) {}

  /** The emitter that it may kill at any time. */
  get emitter(): Emitter {
    if (this.emitterOrNone === null) throw new Error('prepare() comes first');
    return this.emitterOrNone;
  }

  async prepare(): Promise<void> {
    this.emitterOrNone = await this.lab.startEmitter();
    for (let worker = 0; worker < 3; worker += 1) await this.startWorker();
  }

  async strike(): Promise<void> {
    const fault = this.random.pick(FAULTS);
    const startedMs = performance.now();
    await this.inflict(fault);
    this.log.push(`${fault} (${Math.round(performance.now() - startedMs)} ms)`);
    await this.pause(this.random.whole(100, 1_000));
    if (this.frozen !== null && performance.now() > this.frozen.thawAtMs) this.thaw();
  }

  /** Ends what is still broken. */
  mend(): void {
    this.thaw();
  }

  private async inflict(fault: Fault): Promise<void> {
    const { postgres, redis } = this.lab.servers;
    switch (fault) {
      case 'kill_worker':
        await this.victim().kill();
        return this.startWorker();
      case 'terminate_worker': {
        const worker = this.victim();
        const code = await worker.stop();
        if (code !== 0) this.log.push(`${worker.name} ended with ${code}`);
        return this.startWorker();
      }
      case 'freeze_briefly': {
        const worker = this.victim();
        worker.freeze();
        await this.pause(this.random.whole(100, 1_500));
        return worker.thaw();
      }
      case 'freeze_past_lease':
        if (this.frozen !== null) return;
        this.frozen = { worker: this.victim(), thawAtMs: performance.now() + PAST_LEASE_MS };
        return this.frozen.worker.freeze();
      case 'flush_redis':
        await redis.assertIsMine();
        return this.flush();
      case 'restart_redis':
        await redis.assertIsMine();
        await redis.stop();
        await this.pause(this.random.whole(0, 2_000));
        return redis.restart();
      case 'crash_redis':
        await redis.assertIsMine();
        await redis.kill();
        return redis.restart();
      case 'cut_connections':
        await postgres.assertIsMine();
        await this.lab.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'gestiqcloud-webhooks'`,
        );
        return;
      case 'restart_postgres':
        await postgres.assertIsMine();
        return postgres.restart();
      case 'crash_postgres': {
        await postgres.assertIsMine();
        const now = Date.now();
        await postgres.kill();
        this.lab.incidents.push({ worker: null, fromMs: now - UNSAVED_MS, toMs: Date.now() });
        await this.pause(this.random.whole(0, 1_000));
        return postgres.restart();
      }
      case 'kill_emitter':
        await this.emitter.kill();
        this.emitterOrNone = await this.lab.startEmitter();
    }
  }

  private victim(): Worker {
    return this.random.pick(this.lab.workers.filter((worker) => worker.awake));
  }

  private thaw(): void {
    this.frozen?.worker.thaw();
    this.frozen = null;
  }

  /** Every other worker has a clock of its own, an hour fast or slow. */
  private async startWorker(): Promise<void> {
    const offsetMs = this.random.pick([0, 0, 3_600_000, -3_600_000]);
    const env = { CLOCK_OFFSET_MS: String(offsetMs) };
    await this.lab.startWorker(offsetMs === 0 ? {} : { preload: 'shifted-clock.mjs', env });
  }

  private async flush(): Promise<void> {
    const client = new Redis(this.lab.servers.redis.url);
    await client.flushall();
    client.disconnect();
  }

  private async pause(durationMs: number): Promise<void> {
    const untilMs = performance.now() + durationMs;
    const passed = (): void => {
      if (performance.now() < untilMs) throw new Error('the pause is not over');
    };
    await eventually(passed, { timeoutMs: durationMs + 5_000 });
  }
}
