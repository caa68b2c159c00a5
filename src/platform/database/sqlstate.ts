/** SQLSTATEs with which PostgreSQL takes back a transaction that would succeed when repeated: serialisation, deadlock. */
const REPEATABLE: ReadonlySet<string> = new Set(['40001', '40P01']);

/**
 * SQLSTATE classes of what may succeed later, unchanged: connection, rollback (deadlock, serialisation), resources, state (locks),
 * intervention (timeouts, shutdowns), system (PostgreSQL, appendix A); and a standby that is not the primary yet.
 */
const MAY_PASS = /^(?:(?:08|40|53|55|57|58)...|25006)$/;

/**
 * Of a server that takes no statements now: connection, too many connections, and those of a shutdown, a crash, a start and a
 * standby.
 */
const AWAY = /^(?:08...|53300|57P0[1-5]|25006)$/;

const QUERY_CANCELED = '57014';
const UNIQUE_VIOLATION = '23505';

/** PostgreSQL's five characters, also of an error that TypeORM put around its; empty for an error of anybody else. */
export function sqlstateOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  const { code, severity, driverError } = cause as Readonly<Record<string, unknown>>;
  // The codes of the system look alike (`EPIPE`), but have no severity.
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && typeof severity === 'string') return code;
  return driverError === undefined || driverError === cause ? '' : sqlstateOf(driverError);
}

/** The same transaction, made once more, may succeed at once. */
export function isRepeatable(cause: unknown): boolean {
  return REPEATABLE.has(sqlstateOf(cause));
}

/** PostgreSQL judged the statement itself: the same again cannot help. */
export function isRefusedForGood(cause: unknown): boolean {
  const sqlstate = sqlstateOf(cause);
  return sqlstate !== '' && !MAY_PASS.test(sqlstate);
}

/** @param code of an error, whoever made it; that of a system is none of these */
export function isOfServerAway(code: string): boolean {
  return AWAY.test(code);
}

/** It took longer than a statement may. */
export function tookTooLong(cause: unknown): boolean {
  return sqlstateOf(cause) === QUERY_CANCELED;
}

export function isDuplicate(cause: unknown): boolean {
  return sqlstateOf(cause) === UNIQUE_VIOLATION;
}
