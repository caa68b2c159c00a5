import { isOfServerAway } from './sqlstate.js';

/** What the system says of a connection that cannot be made, or broke. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** The pool and the driver have no codes for these. */
const UNAVAILABLE_MESSAGE =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired$|Client (?:has encountered a connection error|was closed)|Query read timeout|Cannot use a pool after calling end)/;

/** Causes of causes that are followed at most. */
const MAX_DEPTH = 5;

/**
 * Whether an error says that the database is away, or cannot take statements now, in contrast to one about a statement.
 * What was asked for may succeed later, unchanged.
 */
export function isDatabaseUnavailable(cause: unknown, depth = 0): boolean {
  if (typeof cause !== 'object' || cause === null || depth > MAX_DEPTH) return false;
  const { code, message, errors, cause: outer, driverError } = cause as Readonly<Record<string, unknown>>;
  if (typeof code === 'string' && (CONNECTION_CODES.has(code) || isOfServerAway(code))) return true;
  if (typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message)) return true;
  // A name with several addresses fails with an error for each; TypeORM wraps what its driver throws.
  const inner = [...(Array.isArray(errors) ? (errors as unknown[]) : []), outer, driverError];
  return inner.some((one) => isDatabaseUnavailable(one, depth + 1));
}
