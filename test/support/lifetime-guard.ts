import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';

/**
 * Waits for the end of its standard input, which comes when the process that holds the other end is gone, by whatever
 * signal; then ends the server named in the pid file and removes the directory. Bounded: a zombie answers `kill -0` for ever.
 */
const GUARD_SCRIPT = `
read -r _
pid=$(cat "$1/guarded.pid" 2>/dev/null) && [ -n "$pid" ] && kill -"$2" "$pid" 2>/dev/null && {
  i=0
  while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
  kill -9 "$pid" 2>/dev/null
}
[ "$3" = keep ] && rm -f "$1/guarded.pid" || rm -rf "$1"
`;

/**
 * Ties a started server and its directory to the life of this process: neither outlives it, even when it is killed with
 * SIGKILL or by Ctrl-C and so never reaches its own clean-up.
 */
export class LifetimeGuard {
  private readonly pidFile: string;
  private readonly shell: ChildProcess;

  /**
   * @param directory the server's own directory; removed when this process ends unless `keepDirectory`
   * @param signal how the server is ended
   */
  constructor(
    private readonly directory: string,
    signal: 'QUIT' | 'KILL',
    private readonly keepDirectory = false,
  ) {
    this.pidFile = join(directory, 'guarded.pid');
    this.shell = spawn(
      '/bin/sh',
      ['-c', GUARD_SCRIPT, 'lifetime-guard', directory, signal, keepDirectory ? 'keep' : 'remove'],
      // A group of its own: Ctrl-C in the terminal must not end the guard together with what it guards against.
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' },
    );
    this.shell.unref();
    (this.shell.stdin as Socket | null)?.unref();
  }

  /** The process to end, from now on. */
  watch(pid: number): void {
    writeFileSync(this.pidFile, String(pid));
  }

  /** The watched process has ended: its number may be somebody else's by now. */
  forget(): void {
    rmSync(this.pidFile, { force: true });
  }

  /** Ends the guard; the directory goes now. */
  release(): void {
    this.shell.kill('SIGKILL');
    this.forget();
    if (!this.keepDirectory) rmSync(this.directory, { recursive: true, force: true });
  }
}
