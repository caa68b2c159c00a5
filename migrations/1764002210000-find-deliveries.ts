import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lists by what the last attempt came to, and by what an event is about. Only what failed costs an entry of these indexes, and
 * only events that say what they are about one of theirs. The functions of before stay: processes of the version before go on
 * with them, and say nothing of what their events are about.
 */
export class FindDeliveries1764002210000 implements MigrationInterface {
  name = 'FindDeliveries1764002210000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [INDEXES, RESOURCES]) await queryRunner.query(statement);
    await queryRunner.query(rewriting('webhook_accept', ACCEPT_CHANGES));
    await queryRunner.query(rewriting('webhook_emit', EMIT_CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_accept(text[], uuid[], text[], text[], text[], text[], text[], text[], text[], uuid[], integer[],
                                   integer[], integer, integer, integer, uuid, uuid, integer, integer, jsonb, text[]);
      DROP FUNCTION webhook_emit(text, uuid, text, text[], json, text, text, boolean, jsonb, text);
      DROP INDEX webhook_events_resource_ix;
      ALTER TABLE webhook_events DROP COLUMN resource_id;
      DROP INDEX webhook_deliveries_answered_ix;
      DROP INDEX webhook_deliveries_class_lane_ix;
      DROP INDEX webhook_deliveries_class_name_ix;
      DROP INDEX webhook_deliveries_class_ix`);
  }
}

/* The last one is of what was delivered once and ended otherwise when it was asked for again: next to nothing. */
const INDEXES = `
CREATE INDEX webhook_deliveries_class_ix ON webhook_deliveries (last_error_class, tenant_id, id)
  WHERE last_error_class IS NOT NULL;
CREATE INDEX webhook_deliveries_class_name_ix ON webhook_deliveries (event, last_error_class, tenant_id, id)
  WHERE last_error_class IS NOT NULL;
CREATE INDEX webhook_deliveries_class_lane_ix ON webhook_deliveries (subscription_id, last_error_class, tenant_id, id)
  WHERE last_error_class IS NOT NULL;
CREATE INDEX webhook_deliveries_answered_ix ON webhook_deliveries (tenant_id, id)
  WHERE status = 'FAILED' AND last_error_class IS NULL AND last_status_code IS NOT NULL`;

const RESOURCES = `
ALTER TABLE webhook_events ADD COLUMN resource_id text;
CREATE INDEX webhook_events_resource_ix ON webhook_events (resource_id, tenant_id, id) WHERE resource_id IS NOT NULL`;

type Changes = readonly (readonly [string, string])[];

/* Each is there once. */
const ACCEPT_CHANGES: Changes = [
  ['p_judged jsonb)\n RETURNS', 'p_judged jsonb, p_resources text[])\n RETURNS'],
  [
    `idempotency_key, fingerprint, filtered_by)
        SELECT v_tenant, i.id, i.event, i.payload::json, i.key, i.fingerprint,
`,
    `idempotency_key, fingerprint, resource_id, filtered_by)
        SELECT v_tenant, i.id, i.event, i.payload::json, i.key, i.fingerprint, i.resource,
`,
  ],
  [
    `p_payloads, p_keys, p_fingerprints) WITH ORDINALITY
            AS i (tenant, id, event, payload, key, fingerprint, n)`,
    `p_payloads, p_keys, p_fingerprints, p_resources) WITH ORDINALITY
            AS i (tenant, id, event, payload, key, fingerprint, resource, n)`,
  ],
];

const EMIT_CHANGES: Changes = [
  ['p_judged jsonb, OUT outcome', 'p_judged jsonb, p_resource text, OUT outcome'],
  [
    `idempotency_key, fingerprint, filtered_by)
        SELECT p_tenant, p_event_id, p_event, p_payload, p_idempotency_key, p_fingerprint,
`,
    `idempotency_key, fingerprint, resource_id, filtered_by)
        SELECT p_tenant, p_event_id, p_event, p_payload, p_idempotency_key, p_fingerprint, p_resource,
`,
  ],
];

/* Of the newest version. Fails when a place is not found, or found twice: then it has to be said here what the new one is. */
function rewriting(name: string, changes: Changes): string {
  return `
DO $do$
DECLARE
  v_text text;
  v_from text[] := ARRAY[${changes.map(([from]) => quoted(from)).join(', ')}];
  v_to text[] := ARRAY[${changes.map(([, to]) => quoted(to)).join(', ')}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  SELECT pg_get_functiondef(p.oid) INTO v_text FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace AND p.proname = '${name}' ORDER BY p.pronargs DESC LIMIT 1;
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION '${name} is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  EXECUTE v_text;
END
$do$`;
}

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
