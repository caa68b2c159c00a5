import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A subscription may have a filter on payloads. What a filter means is a rule of the domain, which the database does not
 * know: whoever stores an event brings judgements of the filters that it knows, and the functions that fan out tell those
 * from filters that they have none of. Then they store nothing and answer `undecided` with the filters, and are called again.
 *
 * The functions of before stay. Processes of the version before call them until they are restarted, and send what a filter
 * would have kept back.
 */
export class FilterEvents1764001900000 implements MigrationInterface {
  name = 'FilterEvents1764001900000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMNS, PASSES, EMIT, ACCEPT]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_accept(text[], uuid[], text[], text[], text[], text[], text[], text[], text[], uuid[], integer[],
                                   integer[], integer, integer, integer, uuid, uuid, integer, integer, jsonb);
      DROP FUNCTION webhook_emit(text, uuid, text, text[], json, text, text, boolean, jsonb);
      DROP FUNCTION webhook_filter_passes(text, uuid, jsonb);
      DROP FUNCTION webhook_filter_key(text);
      REVOKE UPDATE (total) ON webhook_tasks FROM webhooks_worker;
      ALTER TABLE webhook_events DROP COLUMN filtered_by;
      ALTER TABLE webhook_subscriptions DROP COLUMN filter`);
  }
}

/*
 * filter: its JSON text, because jsonb has neither every number nor every string that JSON has. filtered_by: subscriptions
 * that listened to the event and whose filter kept it back; null where none did, which is no byte of the row.
 */
const COLUMNS = `
ALTER TABLE webhook_subscriptions ADD COLUMN filter text;
ALTER TABLE webhook_events ADD COLUMN filtered_by uuid[];
GRANT UPDATE (filter) ON webhook_subscriptions TO webhooks_tenant;
GRANT UPDATE (total) ON webhook_tasks TO webhooks_worker`;

/*
 * p_judged: judgements of an event by subscription. One is + or - and the key of the filter that was judged: of a filter that
 * was changed meanwhile it says nothing. With a judgement of * everything passes that has none of its own, because an event
 * too many is better than one that is lost. Null: undecided.
 */
const PASSES = `
CREATE FUNCTION webhook_filter_key(p_filter text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtextextended(p_filter, 0)::text
$$;
CREATE FUNCTION webhook_filter_passes(p_filter text, p_subscription uuid, p_judged jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_filter IS NULL THEN true
              WHEN substr(p_judged ->> p_subscription::text, 2) = webhook_filter_key(p_filter)
                THEN starts_with(p_judged ->> p_subscription::text, '+')
              WHEN p_judged ? '*' THEN true END
$$`;

const LISTENS = `s.tenant_id = p_tenant AND s.active
         AND s.id IN (SELECT l.id FROM webhook_listening(p_tenant, p_patterns) AS l (id))`;

/*
 * As before, in one statement that decides and stores. outcome: stored, unmatched (nobody listens), repeated; undecided: of
 * some filters there is no judgement, and these are all of them with their keys.
 */
const EMIT = `
CREATE FUNCTION webhook_emit(
  p_tenant text, p_event_id uuid, p_event text, p_patterns text[], p_payload json,
  p_idempotency_key text, p_fingerprint text, p_only_if_matched boolean, p_judged jsonb,
  OUT outcome text, OUT event_id uuid, OUT fingerprint text, OUT delivery_ids uuid[], OUT subscription_ids uuid[],
  OUT filters text[], OUT filter_keys text[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_previous text := current_setting('app.current_tenant_id', true);
  v_done record;
BEGIN
  PERFORM set_config('app.current_tenant_id', p_tenant, true);
  outcome := NULL;
  IF p_idempotency_key IS NOT NULL THEN
    SELECT 'repeated', e.id, e.fingerprint INTO outcome, event_id, fingerprint
      FROM webhook_events e WHERE e.tenant_id = p_tenant AND e.idempotency_key = p_idempotency_key;
  END IF;
  IF outcome IS NULL THEN
    WITH candidate AS MATERIALIZED (
      SELECT s.id, s.url,
             CASE WHEN s.filter IS NULL THEN true ELSE webhook_filter_passes(s.filter, s.id, p_judged) END AS passes
        FROM webhook_subscriptions s
       WHERE ${LISTENS}
    ), stored AS (
      INSERT INTO webhook_events (tenant_id, id, event, payload, idempotency_key, fingerprint, filtered_by)
        SELECT p_tenant, p_event_id, p_event, p_payload, p_idempotency_key, p_fingerprint,
               (SELECT array_agg(c.id ORDER BY c.id) FROM candidate c WHERE NOT c.passes)
         WHERE NOT EXISTS (SELECT FROM candidate c WHERE c.passes IS NULL)
           AND (NOT p_only_if_matched OR EXISTS (SELECT FROM candidate))
        ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
      RETURNING id
    ), fanned_out AS (
      INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
        SELECT p_tenant, webhook_uuid_v7(), e.id, c.id, p_event, c.url
          FROM stored e CROSS JOIN candidate c
         WHERE c.passes
         ORDER BY c.id
      RETURNING id, subscription_id
    )
    SELECT EXISTS (SELECT FROM stored) AS is_stored, EXISTS (SELECT FROM candidate) AS is_matched,
           EXISTS (SELECT FROM candidate c WHERE c.passes IS NULL) AS is_undecided,
           (SELECT array_agg(f.id ORDER BY f.id) FROM fanned_out f) AS ids,
           (SELECT array_agg(f.subscription_id ORDER BY f.id) FROM fanned_out f) AS subs
      INTO v_done;
    IF v_done.is_stored THEN
      outcome := 'stored';
      event_id := p_event_id;
      fingerprint := p_fingerprint;
      delivery_ids := v_done.ids;
      subscription_ids := v_done.subs;
    ELSIF v_done.is_undecided THEN
      outcome := 'undecided';
      SELECT array_agg(s.id), array_agg(s.filter), array_agg(webhook_filter_key(s.filter))
        INTO subscription_ids, filters, filter_keys
        FROM webhook_subscriptions s
       WHERE ${LISTENS} AND s.filter IS NOT NULL;
    ELSIF p_only_if_matched AND NOT v_done.is_matched THEN
      outcome := 'unmatched';
    ELSE
      SELECT 'repeated', e.id, e.fingerprint INTO outcome, event_id, fingerprint
        FROM webhook_events e WHERE e.tenant_id = p_tenant AND e.idempotency_key = p_idempotency_key;
    END IF;
  END IF;
  IF outcome = 'repeated' THEN
    SELECT array_agg(d.id ORDER BY d.id) INTO delivery_ids
      FROM webhook_deliveries d JOIN webhook_events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
     WHERE d.tenant_id = p_tenant AND d.event_id = webhook_emit.event_id AND d.created_at = e.created_at;
  END IF;
  delivery_ids := coalesce(delivery_ids, '{}');
  subscription_ids := coalesce(subscription_ids, '{}');
  filters := coalesce(filters, '{}');
  filter_keys := coalesce(filter_keys, '{}');
  PERFORM set_config('app.current_tenant_id', coalesce(v_previous, ''), true);
END
$$`;

/*
 * What is different in the function that stores the events of requests. p_judged: judgements by number of the event and
 * subscription. An undecided event is taken out of everything that follows; one that every filter kept back is stored.
 */
const ACCEPT_CHANGES: readonly (readonly [string, string])[] = [
  [')\n RETURNS TABLE(', ', p_judged jsonb)\n RETURNS TABLE('],
  [' settings text[])\n', ' settings text[], filters text[], filter_keys text[])\n'],
  [
    `  v_part integer[];
`,
    `  v_part integer[];
  v_kept integer[] := '{}';
  v_kept_by uuid[] := '{}';
  v_wanted integer[];
  v_undecided integer[] := '{}';
`,
  ],
  [
    `    SELECT array_agg(m.n) AS ns, array_agg(m.id) AS subs, array_agg(m.url) AS urls, array_agg(m.secret) AS secrets,
           array_agg(m.previous) AS previous, array_agg(m.settings) AS settings INTO v_of
`,
    `    SELECT array_agg(m.n) FILTER (WHERE m.passes) AS ns, array_agg(m.id) FILTER (WHERE m.passes) AS subs,
           array_agg(m.url) FILTER (WHERE m.passes) AS urls, array_agg(m.secret) FILTER (WHERE m.passes) AS secrets,
           array_agg(m.previous) FILTER (WHERE m.passes) AS previous,
           array_agg(m.settings) FILTER (WHERE m.passes) AS settings,
           array_agg(m.n) FILTER (WHERE NOT m.passes) AS kept, array_agg(m.id) FILTER (WHERE NOT m.passes) AS kept_by,
           array_agg(m.n) FILTER (WHERE m.passes IS NULL) AS undecided INTO v_of
`,
  ],
  [
    `        SELECT u.n, s.id, s.url, s.secret, s.settings::text AS settings,
`,
    `        SELECT u.n, s.id, s.url, s.secret, s.settings::text AS settings,
               CASE WHEN s.filter IS NULL THEN true
                    ELSE webhook_filter_passes(s.filter, s.id, p_judged -> u.n::text) END AS passes,
`,
  ],
  [
    `    v_settings := v_settings || v_of.settings;
  END LOOP;
`,
    `    v_settings := v_settings || v_of.settings;
    v_kept := v_kept || v_of.kept;
    v_kept_by := v_kept_by || v_of.kept_by;
    IF v_of.undecided IS NOT NULL THEN
      v_undecided := v_undecided || v_of.undecided;
      RETURN QUERY
        SELECT i.n, 'undecided'::text, NULL::uuid, NULL::text, '{}'::uuid[],
               coalesce(array_agg(f.id) FILTER (WHERE f.id IS NOT NULL), '{}'), '{}'::boolean[], '{}'::text[],
               '{}'::text[], '{}'::text[], '{}'::text[],
               coalesce(array_agg(f.filter) FILTER (WHERE f.id IS NOT NULL), '{}'),
               coalesce(array_agg(webhook_filter_key(f.filter)) FILTER (WHERE f.id IS NOT NULL), '{}')
          FROM (SELECT DISTINCT u.n FROM unnest(v_of.undecided) AS u (n)) AS i
          LEFT JOIN LATERAL (
            SELECT s.id, s.filter
              FROM webhook_listening(v_tenant, string_to_array(p_patterns[i.n], ' ')) AS l (id)
              JOIN webhook_subscriptions s
                ON s.tenant_id = v_tenant AND s.active AND s.id = l.id AND s.filter IS NOT NULL
          ) AS f ON true
         GROUP BY i.n;
    END IF;
  END LOOP;
  IF cardinality(v_undecided) > 0 THEN
    SELECT coalesce(array_agg(m.n ORDER BY m.ord), '{}'), coalesce(array_agg(m.sub ORDER BY m.ord), '{}'),
           coalesce(array_agg(m.url ORDER BY m.ord), '{}'), coalesce(array_agg(m.secret ORDER BY m.ord), '{}'),
           coalesce(array_agg(m.previous ORDER BY m.ord), '{}'), coalesce(array_agg(m.settings ORDER BY m.ord), '{}')
      INTO v_ns, v_subs, v_urls, v_secrets, v_previous, v_settings
      FROM unnest(v_ns, v_subs, v_urls, v_secrets, v_previous, v_settings) WITH ORDINALITY
           AS m (n, sub, url, secret, previous, settings, ord)
     WHERE m.n <> ALL (v_undecided);
    SELECT coalesce(array_agg(k.n ORDER BY k.ord), '{}'), coalesce(array_agg(k.sub ORDER BY k.ord), '{}')
      INTO v_kept, v_kept_by
      FROM unnest(v_kept, v_kept_by) WITH ORDINALITY AS k (n, sub, ord)
     WHERE k.n <> ALL (v_undecided);
  END IF;
  v_wanted := v_ns || v_kept;
`,
  ],
  [
    `      INSERT INTO webhook_events (tenant_id, id, event, payload, idempotency_key, fingerprint)
        SELECT v_tenant, i.id, i.event, i.payload::json, i.key, i.fingerprint
`,
    `      INSERT INTO webhook_events (tenant_id, id, event, payload, idempotency_key, fingerprint, filtered_by)
        SELECT v_tenant, i.id, i.event, i.payload::json, i.key, i.fingerprint,
               CASE WHEN cardinality(v_kept) > 0 THEN
                 (SELECT array_agg(k.sub ORDER BY k.sub) FROM unnest(v_kept, v_kept_by) AS k (n, sub) WHERE k.n = i.n) END
`,
  ],
  ['AND i.n::int = ANY (v_ns)', 'AND i.n::int = ANY (v_wanted)'],
  [
    `           array_agg(CASE WHEN m.born THEN m.settings END ORDER BY m.id)
      FROM `,
    `           array_agg(CASE WHEN m.born THEN m.settings END ORDER BY m.id), '{}'::text[], '{}'::text[]
      FROM `,
  ],
  [
    `  -- What was not stored: its key is known, or nobody is subscribed.
`,
    `  -- What every filter kept back.
  IF cardinality(v_kept) > 0 THEN
    RETURN QUERY
      SELECT i, 'stored'::text, p_event_ids[i], p_fingerprints[i], '{}'::uuid[], '{}'::uuid[], '{}'::boolean[],
             '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[]
        FROM unnest(v_stored) AS i WHERE i <> ALL (v_ns);
  END IF;

  -- What was not stored: its key is known, or nobody is subscribed.
`,
  ],
  [
    `             '{}'::uuid[], '{}'::boolean[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[]
        FROM unnest(p_tenants, p_keys)`,
    `             '{}'::uuid[], '{}'::boolean[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[],
             '{}'::text[]
        FROM unnest(p_tenants, p_keys)`,
  ],
  ['       WHERE i.n::int <> ALL (v_stored);', '       WHERE i.n::int <> ALL (v_stored || v_undecided);'],
];

/*
 * Made of the newest function, whose text is spread over several migrations by now. Fails when a place is not found, or found
 * twice: then it has to be said here what the new one is.
 */
const ACCEPT = `
DO $do$
DECLARE
  v_text text;
  v_from text[] := ARRAY[${ACCEPT_CHANGES.map(([from]) => quoted(from)).join(', ')}];
  v_to text[] := ARRAY[${ACCEPT_CHANGES.map(([, to]) => quoted(to)).join(', ')}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  SELECT pg_get_functiondef(p.oid) INTO v_text FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'webhook_accept' ORDER BY p.pronargs DESC LIMIT 1;
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION 'webhook_accept is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  EXECUTE v_text;
END
$do$`;

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
