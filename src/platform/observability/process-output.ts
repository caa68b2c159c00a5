import { inspect } from 'node:util';

import type { AppLogger } from '../kernel/app-logger.js';

/** Lines of libraries that are remembered, so that each is logged once and not at every reconnection. */
const REMEMBERED = 200;

/** What Node tells developers about its own future; operators cannot do anything about it. */
const FOR_DEVELOPERS = new Set(['DeprecationWarning', 'ExperimentalWarning']);

type Level = 'debug' | 'warn' | 'error';

const LEVEL_OF = { log: 'debug', info: 'debug', debug: 'debug', warn: 'warn', error: 'error' } as const;

/**
 * Whatever libraries and Node itself would print goes through the log, in its form, once each. Objects are never printed
 * as they are: the error of a refused command holds its arguments, such as the password of AUTH.
 */
export function logProcessOutput(logger: AppLogger): void {
  const seen = new Set<string>();
  const log = (level: Level, message: string, fields: Record<string, unknown>): void => {
    if (seen.has(message)) return;
    if (seen.size < REMEMBERED) seen.add(message);
    logger[level](message, fields);
  };
  for (const [method, level] of Object.entries(LEVEL_OF)) {
    Reflect.set(console, method, (...parts: readonly unknown[]) => {
      const cause = parts.find((part) => part instanceof Error);
      log(level, parts.map(textOf).join(' '), { context: 'console', ...(cause ? { cause } : {}) });
    });
  }
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const level = FOR_DEVELOPERS.has(warning.name) ? 'debug' : 'warn';
    log(level, `${warning.name}: ${warning.message}`, { context: 'node' });
  });
}

/** An error that nobody caught: the state of the process is unknown, so it ends, and its leases are given back. */
export function endOnUncaught(logger: AppLogger, end: () => void): void {
  const onUncaught = (cause: unknown): void => {
    logger.error('The server ends: an error was not handled', { cause });
    end();
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
}

function textOf(part: unknown): string {
  if (part instanceof Error) return part.message;
  return typeof part === 'object' || typeof part === 'function' ? '[object]' : inspectOf(part);
}

function inspectOf(part: unknown): string {
  return typeof part === 'string' ? part : inspect(part);
}
