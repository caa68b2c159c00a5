import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Socket } from 'node:net';
import { prepareEmbeddedFiles } from './embedded-files.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { LifetimeGuard } from './lifetime-guard.js';

const ENTRY = resolve(import.meta.dirname, '../../dist/main.js');

export interface StartServerOptions {
  /** Added to the defaults; nothing else of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** A script to run instead of `dist/main.js`. */
  readonly entry?: string;
  /** Where the server runs, so that its `./data` lies there; a new temporary directory when absent. */
  readonly cwd?: string;
  /** Whether its embedded database begins with files that are made already, in `./data`; default false: a first start. */
  readonly hasFiles?: boolean;
  /** What stands before `node`, such as a command that enters a network namespace; default nothing. */
  readonly launcher?: readonly string[];
  /** Where it is reached; default 127.0.0.1. */
  readonly host?: string;
  /** The path that must answer 200 before the start counts as done; null: do not wait. */
  readonly readyPath?: string | null;
  /** Budget of the start, in milliseconds; the embedded database alone may take 6.5 s at its first boot. */
  readonly timeoutMs?: number;
}

/** One line of the log: pino's fields, or `{ msg }` for a line that is not JSON. */
export interface LogLine {
  readonly msg?: string;
  readonly level?: number | string;
  readonly [field: string]: unknown;
}

/**
 * The built server, `node dist/main.js`, as a process of its own.
 *
 * @example
 * const server = await startServer({ env: { DATABASE_URL: database.url } });
 * expect(await server.stop()).toBe(0);
 */
export class ServerProcess {
  /** Every complete line of standard output and standard error so far. */
  readonly output: string[] = [];
  /** Resolves with the exit code; 128 + the signal's number when a signal ended it. */
  readonly exited: Promise<number>;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    /** Give it to the next `startServer` to boot on the same `./data`. */
    readonly cwd: string,
    private readonly guard: LifetimeGuard,
    private readonly host: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => this.output.push(line));
    }
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        this.output.push(String(error));
        resolve(127);
      });
      // `close` comes after `exit`, when the last line has been read as well.
      child.once('close', (code, signal) => {
        guard.forget();
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
    if (child.pid !== undefined) guard.watch(child.pid);
    this.holdEventLoop(false);
  }

  /** @internal use {@link startServer} */
  static async launch(options: StartServerOptions): Promise<ServerProcess> {
    const entry = options.entry ?? ENTRY;
    if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\` first`);
    const port = Number(options.env?.['PORT'] ?? (await freePort()));
    const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), 'webhooks-server-'));
    const guard = new LifetimeGuard(cwd, 'KILL', options.cwd !== undefined);
    if (options.hasFiles === true) await prepareEmbeddedFiles(join(cwd, 'data'));
    const [command, ...args] = [...(options.launcher ?? []), process.execPath, entry] as const;
    const child = spawn(command, args, {
      cwd,
      env: environment({ PORT: String(port), ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(child, port, cwd, guard, options.host ?? '127.0.0.1');
    const readyPath = options.readyPath === undefined ? '/health/live' : options.readyPath;
    if (readyPath !== null) await server.waitUntilReady(readyPath, options.timeoutMs ?? 120_000);
    return server;
  }

  /** `http://<host>:<port>`, without a slash at the end. */
  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** @throws Error when it did not start. */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`The server did not start:\n${this.tail()}`);
    return this.child.pid;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The output as objects, in the order of arrival. */
  get logLines(): readonly LogLine[] {
    return this.output.map(parseLogLine);
  }

  /** @throws Error with the tail of the output when no such line comes in time. */
  async waitForLog(matches: (line: LogLine) => boolean, timeoutMs = 60_000): Promise<LogLine> {
    return eventually(
      () => {
        const found = this.logLines.find(matches);
        if (!found) throw new Error(`no such log line; the last ones:\n${this.tail()}`);
        return found;
      },
      { timeoutMs },
    );
  }

  /**
   * Asks it to end and gives its exit code.
   *
   * @throws Error when it is still there after `timeoutMs`; it is killed then
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 90_000): Promise<number> {
    this.holdEventLoop(true);
    if (this.running) this.child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeoutMs);
    });
    const outcome = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (outcome !== 'late') return outcome;
    await this.kill();
    throw new Error(`The server was still running ${timeoutMs} ms after ${signal}:\n${this.tail()}`);
  }

  /** SIGKILL: as a crash, nothing of the server's own code runs any more. */
  async kill(): Promise<void> {
    this.holdEventLoop(true);
    if (this.running) this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Ends it if it runs and removes the directory that was made for it. */
  async dispose(): Promise<void> {
    await this.kill();
    this.guard.release();
  }

  private async waitUntilReady(path: string, timeoutMs: number): Promise<void> {
    const attempt = async (): Promise<void> => {
      if (!this.running) return;
      const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(2_000) });
      await response.text();
      if (!response.ok) throw new Error(`${path} answers ${response.status}`);
    };
    const message = 'the server does not answer';
    const reason = await eventually(attempt, { timeoutMs, intervalMs: 50, message }).then(
      () => (this.running ? undefined : 'it ended'),
      (error: Error) => error.message,
    );
    if (reason === undefined) return;
    await this.dispose();
    throw new Error(
      `The server did not start: ${reason} (exit code ${await this.exited}). Its last output:\n${this.tail()}`,
    );
  }

  /** Only while its end is awaited: a suite that failed before its clean-up must not keep jest from ending. */
  private holdEventLoop(hold: boolean): void {
    for (const handle of [
      this.child,
      this.child.stdout as Socket | null,
      this.child.stderr as Socket | null,
    ]) {
      if (hold) handle?.ref();
      else handle?.unref();
    }
  }

  private tail(): string {
    return this.output.slice(-30).join('\n');
  }
}

/**
 * Starts the built server on a free port of 127.0.0.1 and waits until it answers.
 *
 * @throws Error with the tail of its output when it ends early or does not answer in time
 */
export function startServer(options: StartServerOptions = {}): Promise<ServerProcess> {
  return ServerProcess.launch(options);
}

/**
 * A clean environment: the caller's DATABASE_URL or NODE_OPTIONS must not change what is tested. Without a rate limit,
 * which no suite but its own is about.
 */
function environment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  const inherited = { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
  return {
    ...inherited,
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    WEBHOOK_API_RATE_LIMIT_PER_MINUTE: '0',
    ...given,
  };
}

function parseLogLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as LogLine) : { msg: line };
  } catch {
    return { msg: line };
  }
}
