import { pathToFileURL } from 'node:url';

import { startServer, type ServerProcess } from '../../support/server-process.js';
import type { CutOffNetwork } from './cut-off-network.js';
import type { Incident } from './history.js';
import { harnessScript } from './settings.js';

/**
 * A freeze shorter than this, in milliseconds, cannot cost a lease: leases outlive the last sign of life by 4.5 s (`aliveMs`),
 * and the last one may be more than a second old.
 */
const HARMLESS_FREEZE_MS = 2_000;

/** Lines of output that show why a process ended. */
const CRASH_LINES = 40;

export interface WorkerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A script of the harness that Node loads before the server. */
  readonly preload?: 'shifted-clock.mjs' | 'without-sweep.mjs';
  /** Where it runs, to be cut off; default beside the servers. */
  readonly network?: CutOffNetwork;
}

/** A worker process of the service. It sends under its name as user agent, and its deaths are noted as incidents. */
export class Worker {
  private frozenAtMs: number | null = null;
  private isToEnd = false;

  private constructor(
    readonly name: string,
    readonly server: ServerProcess,
    private readonly incidents: Incident[],
  ) {}

  /** @internal use `FaultLab.startWorker` */
  static async start(
    name: string,
    env: Readonly<Record<string, string>>,
    options: WorkerOptions,
    incidents: Incident[],
    entry: string,
  ): Promise<Worker> {
    const scripts = ['patient-engine.mjs', ...(options.preload ? [options.preload] : [])];
    const preload = {
      NODE_OPTIONS: scripts.map((name) => `--import=${pathToFileURL(harnessScript(name)).href}`).join(' '),
    };
    const { network } = options;
    const server = await startServer({
      entry,
      env: {
        ...{ ...env, WEBHOOK_ROLE: 'worker', WEBHOOK_USER_AGENT: name, ...preload, ...options.env },
        ...(network === undefined ? {} : await inside(network, env)),
      },
      ...(network === undefined ? {} : { launcher: network.launcher, host: network.host }),
    });
    return new Worker(name, server, incidents);
  }

  get running(): boolean {
    return this.server.running;
  }

  /** What it said last when it ended although nobody ended it; null when all is well. */
  get crash(): string | null {
    return this.running || this.isToEnd ? null : this.server.output.slice(-CRASH_LINES).join('\n');
  }

  /** Whether it can do anything at this moment. */
  get awake(): boolean {
    return this.running && this.frozenAtMs === null;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.isToEnd = true;
    const now = Date.now();
    // The signal goes out in this turn of the event loop; the end is only waited for.
    const ended = this.server.kill();
    this.incidents.push({ worker: this.name, fromMs: this.frozenAtMs ?? now, toMs: now });
    await ended;
  }

  /** SIGSTOP: the process stands still in the middle of whatever it does, its sockets stay open. */
  freeze(): void {
    this.frozenAtMs = Date.now();
    this.signal('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    const fromMs = this.frozenAtMs;
    if (fromMs === null) return;
    this.frozenAtMs = null;
    const toMs = Date.now();
    if (toMs - fromMs > HARMLESS_FREEZE_MS) this.incidents.push({ worker: this.name, fromMs, toMs });
    this.signal('SIGCONT');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.server.pid, signal);
  }

  /** SIGTERM, which is no incident: nothing may be lost or repeated. */
  async stop(): Promise<number> {
    this.isToEnd = true;
    return this.server.stop('SIGTERM');
  }

  async dispose(): Promise<void> {
    await this.server.dispose();
  }
}

/** The servers as they are reached from there. */
async function inside(
  network: CutOffNetwork,
  { DATABASE_URL = '', REDIS_URL }: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  return {
    HOST: network.host,
    DATABASE_URL: await network.serverUrl(DATABASE_URL),
    ...(REDIS_URL === undefined ? {} : { REDIS_URL: await network.serverUrl(REDIS_URL) }),
  };
}
