import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../test/support/free-port.js';
import { processorSeconds } from './processor.js';

const BOOT_MS = 120_000;

/**
 * The built server with its log in a file, as in production: through a pipe, whoever reads it here would take processor
 * time from what is measured.
 */
export class WorkerProcess {
  /** Of one that has ended. */
  private lastUsedSeconds: number | null = null;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async start(
    env: Readonly<Record<string, string>>,
    nodeOptions: readonly string[] = [],
  ): Promise<WorkerProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'webhooks-bench-'));
    const port = await freePort();
    const log = openSync(join(folder, 'log'), 'w');
    const child = spawn(process.execPath, [...nodeOptions, join(import.meta.dirname, '../dist/main.js')], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const worker = new WorkerProcess(child, folder, `http://127.0.0.1:${port}`);
    const until = Date.now() + BOOT_MS;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => null);
      if (answer?.ok === true) return worker;
      if (child.exitCode !== null || Date.now() > until) {
        child.kill('SIGKILL');
        throw new Error(`The worker did not start; its log is ${join(folder, 'log')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Seconds of processor time. */
  get usedSeconds(): number {
    return this.lastUsedSeconds ?? processorSeconds(this.pid);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Without waiting for what it has under way. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.lastUsedSeconds ??= processorSeconds(this.pid);
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill(signal);
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
