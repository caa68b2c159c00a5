import { ConfigurationError } from './platform/config/configuration-error.js';
import { DatabaseNotReadyError, EmbeddedDatabaseBusyError } from './platform/database/database-errors.js';
import { withoutCredentials } from './platform/kernel/without-credentials.js';
import { loggedError } from './platform/observability/logged-error.js';
import { sqlFailureOf } from './platform/observability/sql-failure.js';

/** What an administrator does about a port that cannot be listened on, by the system's code. */
const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there (this one, started twice?). Stop it, or set PORT to another one',
  EACCES: 'this user may not listen there. Set PORT to 1024 or higher',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has, or to 0.0.0.0 for all',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine, or to 0.0.0.0 for all',
};

/** Why the server did not start: for what an administrator can mend, in words and without a stack. */
export function startRefusal(cause: unknown): string {
  if (
    cause instanceof ConfigurationError ||
    cause instanceof DatabaseNotReadyError ||
    cause instanceof EmbeddedDatabaseBusyError
  ) {
    return cause.message;
  }
  return listenProblem(cause) ?? `The server did not start: ${withoutCredentials(textOf(cause))}`;
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (sqlFailureOf(cause) !== null) return JSON.stringify(loggedError(cause));
  // The operating system refused something, usually a folder: its message says what and where.
  return 'syscall' in cause ? cause.message : (cause.stack ?? cause.message);
}

function listenProblem(cause: unknown): string | null {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return null;
  const advice = LISTEN_ADVICE[String(cause.code)];
  if (advice === undefined || !/^(listen|getaddrinfo)$/.test(String(cause.syscall))) return null;
  const port = 'port' in cause ? ` on port ${String(cause.port)}` : '';
  return `The server cannot listen${port}: ${advice}.`;
}
