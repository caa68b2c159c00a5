import { withoutCredentials } from '../kernel/without-credentials.js';
import { sqlFailureOf } from './sql-failure.js';

/** Causes of causes that are followed at most. */
const MAX_DEPTH = 5;

/** Facts beside message and stack that help and hold no data: of Node's and PostgreSQL's errors. */
const FACTS = [
  'code',
  'errno',
  'syscall',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
] as const;

export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly [fact: string]: unknown;
}

/**
 * An error as it may be logged. Only what is named here: a failed query carries its parameters, PostgreSQL's `detail` and
 * `where` the row, and some of its messages quote a value, which is where payloads, secrets and tokens would be.
 */
export function loggedError(cause: unknown, depth = 0): unknown {
  if (!(cause instanceof Error)) return typeof cause === 'object' ? '[not an Error]' : cause;
  const facts: Record<string, unknown> = {};
  for (const name of FACTS) {
    const value = Reflect.get(cause, name) as unknown;
    if (typeof value === 'string' || typeof value === 'number') facts[name] = value;
  }
  const sql = sqlFailureOf(cause);
  const message = withoutCredentials(sql?.message ?? cause.message);
  const inner = cause.cause ?? (Reflect.get(cause, 'driverError') as unknown);
  const logged: LoggedError = {
    type: cause.name,
    message,
    ...facts,
    ...(sql === null ? {} : { sqlstate: sql.sqlstate }),
    ...(sql?.statement === undefined ? {} : { statement: sql.statement }),
    stack: stackWith(cause, message),
    ...(cause instanceof AggregateError && depth < MAX_DEPTH
      ? { errors: cause.errors.map((one) => loggedError(one, depth + 1)) }
      : {}),
    ...(inner instanceof Error && depth < MAX_DEPTH ? { cause: loggedError(inner, depth + 1) } : {}),
  };
  return logged;
}

/** A stack begins with the message: with the one that may be logged. */
function stackWith({ name, message, stack }: Error, shown: string): string | undefined {
  if (stack === undefined) return undefined;
  if (shown === message) return withoutCredentials(stack);
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [`${name}: ${shown}`, ...frames].join('\n');
}
