import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is born claimed knows the epoch of its lane's circuit, as any claim does: a result of before a reset must not open it
 * again. One column more in the answer; processes of the version before do not look at it.
 */
export class BirthsKnowEpochs1764001995000 implements MigrationInterface {
  name = 'BirthsKnowEpochs1764001995000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewriting(CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewriting(CHANGES.map(([from, to]) => [to, from] as const)));
  }
}

/* Each is there once. */
const CHANGES: readonly (readonly [string, string])[] = [
  [`filters text[], filter_keys text[])\n`, `filters text[], filter_keys text[], epochs integer[])\n`],
  [`  v_locked uuid[];\n`, `  v_locked uuid[];\n  v_epochs integer[];\n`],
  [
    `    SELECT coalesce(array_agg(locked.id), '{}') INTO v_locked FROM (
      SELECT l.subscription_id AS id
`,
    `    SELECT coalesce(array_agg(locked.id), '{}'), array_agg(locked.epoch) INTO v_locked, v_epochs FROM (
      SELECT l.subscription_id AS id, l.epoch
`,
  ],
  [
    `           array_agg(CASE WHEN m.born THEN m.settings END ORDER BY m.id), '{}'::text[], '{}'::text[]
`,
    `           array_agg(CASE WHEN m.born THEN m.settings END ORDER BY m.id), '{}'::text[], '{}'::text[],
           array_agg(CASE WHEN m.born THEN v_epochs[array_position(v_locked, m.sub)] END ORDER BY m.id)
`,
  ],
  [
    `(array_agg(webhook_filter_key(f.filter)) FILTER (WHERE f.id IS NOT NULL), '{}')
`,
    `(array_agg(webhook_filter_key(f.filter)) FILTER (WHERE f.id IS NOT NULL), '{}'), '{}'::integer[]
`,
  ],
  [
    `'{}'::text[]
        FROM unnest(v_stored) AS i WHERE`,
    `'{}'::text[], '{}'::integer[]
        FROM unnest(v_stored) AS i WHERE`,
  ],
  [
    `             '{}'::text[]
        FROM unnest(p_tenants, p_keys)`,
    `             '{}'::text[], '{}'::integer[]
        FROM unnest(p_tenants, p_keys)`,
  ],
];

/* Of the newest version alone. Dropped first: a function cannot change what it returns. Fails when the text is another. */
function rewriting(changes: readonly (readonly [string, string])[]): string {
  return `
DO $do$
DECLARE
  v_function regprocedure := (SELECT p.oid FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'webhook_accept' ORDER BY p.pronargs DESC LIMIT 1);
  v_text text;
  v_from text[] := ARRAY[${changes.map(([from]) => quoted(from)).join(', ')}];
  v_to text[] := ARRAY[${changes.map(([, to]) => quoted(to)).join(', ')}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  v_text := pg_get_functiondef(v_function);
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION 'webhook_accept is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  EXECUTE 'DROP FUNCTION ' || v_function;
  EXECUTE v_text;
END
$do$`;
}

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
