import { startServer, type StartServerOptions } from './server-process.js';

export interface EndedBoot {
  readonly exitCode: number;
  /** Everything that it printed. */
  readonly output: string;
}

/** What nobody but its author can read: a boot that an administrator can mend must print none. */
export const STACK_LINE = /^\s+at .+(:\d+:\d+|<anonymous>|native)\)?$/m;

/**
 * Starts the built server where it is expected to refuse.
 *
 * @throws Error when it is still running after `timeoutMs`
 */
export async function bootToExit(
  options: Pick<StartServerOptions, 'env' | 'cwd'>,
  timeoutMs = 90_000,
): Promise<EndedBoot> {
  const server = await startServer({ ...options, readyPath: null });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  try {
    const exitCode = await Promise.race([server.exited, late]);
    const output = server.output.join('\n');
    if (exitCode === 'late') throw new Error(`still running after ${timeoutMs} ms:\n${output}`);
    return { exitCode, output };
  } finally {
    clearTimeout(timer);
    await server.dispose();
  }
}
