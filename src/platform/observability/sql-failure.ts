import { createHash } from 'node:crypto';

/** What may be told of a statement that failed. */
export interface SqlFailure {
  readonly message: string;
  /** PostgreSQL's five characters, e.g. `23505`. */
  readonly sqlstate: string;
  /** Which statement, without a value of it: `INSERT webhook_events #1f2e3d4c`. */
  readonly statement?: string;
}

/**
 * SQLSTATEs whose messages name connections, objects and limits, never a value: connection, constraint, transaction,
 * rollback (deadlock, serialisation), resources, limits, state, intervention, system; and what is missing or not allowed.
 * The others may quote what they were given (`invalid input syntax for type json: "…"`).
 */
const NAMES_NO_VALUE = /^(?:(?:08|23|25|40|53|54|55|57|58)...|42501|42P01|42703|42883)$/;

/** Null for an error that is not PostgreSQL's, nor TypeORM's around one. */
export function sqlFailureOf(cause: Error): SqlFailure | null {
  const query = textOf(cause, 'query');
  const driverError: unknown = Reflect.get(cause, 'driverError');
  const source = driverError instanceof Error ? driverError : cause;
  const code = textOf(source, 'code');
  const isOfPostgres = code !== null && /^[0-9A-Z]{5}$/.test(code) && textOf(source, 'severity') !== null;
  if (!isOfPostgres && query === null) return null;
  const sqlstate = isOfPostgres ? code : 'none';
  const statement = query === null ? {} : { statement: statementName(query) };
  // A connection that broke in the middle says so in Node's words.
  if (!isOfPostgres) return { message: source.message, sqlstate, ...statement };
  const message = NAMES_NO_VALUE.test(code) ? source.message : `PostgreSQL refused a statement (${code})`;
  return { message, sqlstate, ...statement };
}

/** The verb, the table that comes first, and a fingerprint of the text, by which it is found again in the sources. */
export function statementName(sql: string): string {
  const verb = /\b(?:SELECT|INSERT|UPDATE|DELETE)\b/i.exec(sql)?.[0].toUpperCase() ?? 'SQL';
  const table = /\b(?:FROM|INTO|UPDATE)\s+(?:"?public"?\.)?"?([a-z_][a-z0-9_]*)/i.exec(sql)?.[1];
  const fingerprint = createHash('sha256')
    .update(sql.replaceAll(/\s+/g, ' ').trim())
    .digest('hex')
    .slice(0, 8);
  return [verb, ...(table === undefined ? [] : [table]), `#${fingerprint}`].join(' ');
}

function textOf(object: object, key: string): string | null {
  const value: unknown = Reflect.get(object, key);
  return typeof value === 'string' ? value : null;
}
