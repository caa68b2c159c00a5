import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a receiver answered beside status and body is kept with its attempt, and what the last attempt came to stands in the
 * delivery, where lists find it. The function of before stays: processes of the version before go on with it, and write
 * nothing of either.
 */
export class KeepAnswers1764002200000 implements MigrationInterface {
  name = 'KeepAnswers1764002200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMNS, SETTLE]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_settle(text[], uuid[], uuid[], uuid[], uuid[], integer[], text[], integer[], integer[], text[],
                                   text[], text[], text[], text[], text[], float8[], boolean[], text, text, uuid[],
                                   integer[], uuid[], float8[], text, text[]);
      ALTER TABLE webhook_deliveries DROP COLUMN last_status_code, DROP COLUMN last_duration_ms, DROP COLUMN last_error_class;
      ALTER TABLE webhook_attempts DROP COLUMN response_headers`);
  }
}

/* Null until an attempt has ended; response_headers also where there was no answer. */
const COLUMNS = `
ALTER TABLE webhook_attempts ADD COLUMN response_headers json;
ALTER TABLE webhook_deliveries
  ADD COLUMN last_status_code integer, ADD COLUMN last_duration_ms integer, ADD COLUMN last_error_class text;
GRANT UPDATE (response_headers) ON webhook_attempts TO webhooks_worker;
GRANT UPDATE (last_status_code, last_duration_ms, last_error_class) ON webhook_deliveries TO webhooks_worker`;

const CHANGES: readonly (readonly [string, string])[] = [
  ['p_failing_reason text)\n RETURNS', 'p_failing_reason text, p_response_headers text[])\n RETURNS'],
  [
    `p_codes, p_classes, p_errors, p_bodies, p_headers, p_statuses, p_last_errors, p_delays)
`,
    `p_codes, p_classes, p_errors, p_bodies, p_headers, p_statuses, p_last_errors, p_delays, p_response_headers)
`,
  ],
  ['status, last_error, delay_ms)\n', 'status, last_error, delay_ms, response_headers)\n'],
  [
    `           last_error = CASE WHEN r.is_over THEN p_deactivated ELSE r.last_error END,
`,
    `           last_error = CASE WHEN r.is_over THEN p_deactivated ELSE r.last_error END,
           last_status_code = r.status_code, last_duration_ms = r.duration_ms, last_error_class = r.error_class,
`,
  ],
  ['request_headers, response_body, probe)\n', 'request_headers, response_body, response_headers, probe)\n'],
  [
    'r.request_headers::json, r.response_body, r.is_probe\n',
    'r.request_headers::json, r.response_body,\n             r.response_headers::json, r.is_probe\n',
  ],
  [
    'response_body = excluded.response_body, probe',
    'response_body = excluded.response_body, response_headers = excluded.response_headers, probe',
  ],
];

/* Made of the newest function. Fails when a place is not found, or found twice: then it has to be said here what the new one is. */
const SETTLE = `
DO $do$
DECLARE
  v_text text;
  v_from text[] := ARRAY[${CHANGES.map(([from]) => quoted(from)).join(', ')}];
  v_to text[] := ARRAY[${CHANGES.map(([, to]) => quoted(to)).join(', ')}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  SELECT pg_get_functiondef(p.oid) INTO v_text FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'webhook_settle' ORDER BY p.pronargs DESC LIMIT 1;
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION 'webhook_settle is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  EXECUTE v_text;
END
$do$`;

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
