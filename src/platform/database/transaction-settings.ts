/**
 * What our statements rely on, whatever the database, the role or a pooler in between has as its defaults: dates as the
 * driver reads them, names found where the migrations put them (and no temporary table in front of them), row-level
 * security that filters instead of failing, text and arrays in the form that the driver writes.
 */
const SETTINGS = {
  search_path: 'public, pg_temp',
  datestyle: `'ISO, YMD'`,
  timezone: `'UTC'`,
  row_security: 'on',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
} as const;

/** Milliseconds; 0 sets no limit. */
export interface TransactionLimits {
  readonly statementMs: number;
  /** For one lock. */
  readonly lockMs: number;
  /** Between two statements: a process that is frozen must not hold its locks for ever. */
  readonly idleMs: number;
}

export const SERVICE_LIMITS: TransactionLimits = { statementMs: 60_000, lockMs: 30_000, idleMs: 30_000 };

/** A migration may take as long as the tables are large. */
export const MIGRATION_LIMITS: TransactionLimits = { statementMs: 0, lockMs: 0, idleMs: 0 };

/**
 * How every transaction of the service begins, in one message: the isolation level by its name, because a level that takes
 * back what it has done makes parallel requests fail; then the settings, for this transaction alone, so nothing is left on
 * the connection and a pooler in transaction mode does not mix them up. `SET LOCAL` takes no snapshot, so whoever needs
 * another level can still choose it with the next statement.
 */
export function beginStatement({ statementMs, lockMs, idleMs }: TransactionLimits): string {
  const settings = Object.entries({
    ...SETTINGS,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleMs,
  });
  return [
    'START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE',
    ...settings.map(([name, value]) => `SET LOCAL ${name} = ${value}`),
  ].join('; ');
}
