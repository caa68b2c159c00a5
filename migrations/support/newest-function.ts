/**
 * Functions of the database that are made of the newest one of their name, whose text may be spread over several migrations by
 * now: a migration says what it changes of it, and nothing else. This folder holds no migrations; `loadMigrations` does not read it.
 */

/** A piece of the text as it is, which is there exactly once, and what takes its place. */
export type TextChange = readonly [from: string, to: string];

const NAME = /^[a-z_][a-z0-9_]*$/;
const QUOTE = '$text$';

/**
 * The statement that makes a function beside the newest of its name, or in its place where its parameters are the same. It fails
 * when a text is not there, or twice: then another migration has changed it, and it has to be said anew what this one is.
 *
 * @param replaces takes the newest away first, for a function that returns something else
 * @example await queryRunner.query(rewrittenFunction('webhook_settle', [[') RETURNS', ', p_more text) RETURNS']]))
 */
export function rewrittenFunction(name: string, changes: readonly TextChange[], replaces = false): string {
  return `
DO $do$
DECLARE
  v_function regprocedure := ${newest(name)};
  v_text text;
  v_from text[] := ARRAY[${changes.map(([from]) => lookedFor(from)).join(', ')}]::text[];
  v_to text[] := ARRAY[${changes.map(([, to]) => quoted(to)).join(', ')}]::text[];
BEGIN
  IF v_function IS NULL THEN
    RAISE EXCEPTION 'there is no function ${name}';
  END IF;
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  v_text := pg_get_functiondef(v_function);
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION '${name} is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  ${replaces ? `EXECUTE 'DROP FUNCTION ' || v_function;` : ''}
  EXECUTE v_text;
END
$do$`;
}

/** What takes changes back. */
export function undone(changes: readonly TextChange[]): TextChange[] {
  return changes.map(([from, to]) => [to, from]);
}

/** The statement that takes the newest away; the one before it is the newest again. */
export function droppedFunction(name: string): string {
  return `
DO $do$
DECLARE
  v_function regprocedure := ${newest(name)};
BEGIN
  IF v_function IS NULL THEN
    RAISE EXCEPTION 'there is no function ${name}';
  END IF;
  EXECUTE 'DROP FUNCTION ' || v_function;
END
$do$`;
}

/** The one with the most parameters: a new version takes more than the one before it. */
function newest(name: string): string {
  if (!NAME.test(name)) throw new Error(`not the name of a function: ${name}`);
  return `(SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = '${name}'
    ORDER BY p.pronargs DESC LIMIT 1)`;
}

function lookedFor(text: string): string {
  if (text === '') throw new Error('a text that cannot be looked for is empty');
  return quoted(text);
}

function quoted(text: string): string {
  if (text.includes(QUOTE) || text.includes('$do$')) {
    throw new Error(`a text that ends its own quotes: ${text}`);
  }
  return `${QUOTE}${text}${QUOTE}`;
}
