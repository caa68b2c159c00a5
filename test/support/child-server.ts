import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import type { LifetimeGuard } from './lifetime-guard.js';

export interface ChildServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory; `server.log` in it takes the output. */
  readonly directory: string;
  readonly guard: LifetimeGuard;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Resolves once the server serves; is called until it does. */
  readonly probe: () => Promise<unknown>;
  readonly startTimeoutMs: number;
}

/** One run of a server: from its start to its exit. Only the process started here is ever signalled. */
export class ChildServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    private readonly exited: Promise<number>,
  ) {}

  /** @throws Error with the tail of the server's log when it exits early or does not serve in time. */
  static async start(options: ChildServerCommand): Promise<ChildServer> {
    const logFile = join(options.directory, 'server.log');
    const log = openSync(logFile, 'a');
    const child = spawn(options.command, options.args, {
      cwd: options.directory,
      stdio: ['ignore', log, log],
      ...(options.env ? { env: options.env } : {}),
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
    });
    closeSync(log);
    const state: { ended: boolean; failure?: Error } = { ended: false };
    const exited = new Promise<number>((resolve) => {
      child.once('error', (error) => {
        Object.assign(state, { ended: true, failure: error });
        resolve(127);
      });
      child.once('exit', (code, signal) => {
        state.ended = true;
        options.guard.forget();
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
    if (child.pid !== undefined) options.guard.watch(child.pid);
    // A suite that failed before its clean-up must not keep jest from ending; the guard ends the server then.
    child.unref();

    const waiting = {
      timeoutMs: options.startTimeoutMs,
      intervalMs: 50,
      message: `${options.name} does not answer`,
    };
    // An early exit ends the wait at once; only the deadline makes it throw.
    await eventually(() => (state.ended ? undefined : options.probe()), waiting).catch((error: Error) => {
      state.failure ??= error;
    });
    if (child.pid === undefined || state.ended || state.failure) {
      child.kill('SIGKILL');
      const reason = state.failure?.message ?? `it ended with exit code ${await exited}`;
      const log = existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-2_000) : '';
      throw new Error(
        `${options.name} did not start: ${reason}\n${options.command} ${options.args.join(' ')}\n${log}`,
      );
    }
    return new ChildServer(child, child.pid, exited);
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends the signal and waits for the exit; SIGKILL after `timeoutMs`. Does nothing when it has ended already. */
  async end(signal: NodeJS.Signals, timeoutMs = 10_000): Promise<number> {
    if (!this.running) return this.exited;
    this.child.ref();
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }
}
