import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What goes together to an endpoint that takes several events in one request: which of the deliveries that are due make a batch
 * that is closed. Endpoints that want single requests have no batch.
 */
export class BatchDeliveries1764002350000 implements MigrationInterface {
  name = 'BatchDeliveries1764002350000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMN, FOUND, BATCHES]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_batches(text, uuid, jsonb, text, integer, integer, timestamptz);
      DROP TYPE webhook_found_batches;
      ALTER TABLE webhook_deliveries DROP COLUMN batch_id`);
  }
}

/* batch_id: the first of those that went in one request. What failed so goes again with the same, or alone where it is null. */
const COLUMN = `
ALTER TABLE webhook_deliveries ADD COLUMN batch_id uuid;
GRANT UPDATE (batch_id) ON webhook_deliveries TO webhooks_worker`;

const FOUND = `
CREATE TYPE webhook_found_batches AS (
  event_ids uuid[], posts integer[], count integer, waits boolean, until timestamptz, resume text)`;

/*
 * Requests that may go now, p_most at most, of them p_retries of what failed before: the events of each (posts: the number of
 * the request), with what was asked for by hand always alone. A batch closes at max_events, at a mebibyte of payloads, or when
 * the oldest of it has been due for max_wait_ms; until: when that will be. What failed is closed already.
 *
 * Where the endpoint wants an order as well, a batch takes of each key what waits in a row, as long as nothing of the key is
 * under way or waits for its retry. waits: for a batch to close, and not for what goes before.
 */
const BATCHES = `
CREATE FUNCTION webhook_batches(
  p_tenant text, p_subscription uuid, p_settings jsonb, p_from text, p_most integer, p_retries integer, p_now timestamptz
) RETURNS webhook_found_batches LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_max integer := (p_settings #>> '{batch,max_events}')::integer;
  v_wait interval := (p_settings #>> '{batch,max_wait_ms}')::float8 * interval '1 millisecond';
  v_ordered boolean := coalesce(p_settings ->> 'ordering' = 'fifo', false);
  v_busy text[] := '{}';
  v_unknown boolean := false;
  v_ids uuid[] := '{}';
  v_posts integer[] := '{}';
  v_count integer := 0;
  v_retries integer := 0;
  v_open uuid[] := '{}';
  v_bytes bigint := 0;
  v_oldest timestamptz;
  v_until timestamptz;
  v_start text := coalesce(p_from, '');
  v_from text := v_start;
  v_wrapped boolean := v_start = '';
  v_seen integer := 0;
  v_resume text;
  v_key text;
  v_of record;
BEGIN
  IF v_ordered THEN
    v_busy := ARRAY(SELECT coalesce(d.ordering_key, '') FROM webhook_deliveries d
                     WHERE d.subscription_id = p_subscription AND d.status = 'SENDING'
                       AND (d.position IS NOT NULL OR d.leased_by IS NOT NULL));
    v_unknown := cardinality(v_busy) > 0;
  END IF;

  -- What failed: together as it went, or alone.
  FOR v_of IN
    SELECT array_agg(w.event_id ORDER BY w.position, w.id) AS events, array_agg(DISTINCT w.key) AS keys,
           bool_or(w.is_behind) AS is_behind
      FROM (
        SELECT d.event_id, d.id, d.batch_id, d.position, d.next_attempt_at, coalesce(d.ordering_key, '') AS key,
               v_ordered AND d.batch_id IS NULL AND EXISTS (
                 SELECT FROM webhook_deliveries b
                  WHERE b.subscription_id = p_subscription AND b.ordering_key = d.ordering_key AND b.status = 'PENDING'
                    AND b.position >= 0 AND b.position < d.position) AS is_behind
          FROM webhook_deliveries d
         WHERE d.subscription_id = p_subscription AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= p_now
         ORDER BY d.next_attempt_at, d.id LIMIT greatest(p_most, 0) * v_max
      ) AS w
     GROUP BY coalesce(w.batch_id, w.id) ORDER BY min(w.next_attempt_at), min(w.id::text)
  LOOP
    EXIT WHEN v_count >= p_most;
    CONTINUE WHEN v_ordered AND (v_of.is_behind OR v_of.keys && v_busy);
    IF v_retries >= p_retries THEN
      v_unknown := true;
    ELSE
      v_count := v_count + 1;
      v_retries := v_retries + 1;
      v_ids := v_ids || v_of.events;
      v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_of.events)]);
    END IF;
    IF v_ordered THEN v_busy := v_busy || v_of.keys; END IF;
  END LOOP;

  IF v_ordered THEN
    -- Those of before the endpoint wanted an order, alone.
    SELECT s.event_id, coalesce(s.ordering_key, '') AS key INTO v_of FROM (
      SELECT d.event_id, d.ordering_key, d.position, d.id FROM webhook_deliveries d
       WHERE d.subscription_id = p_subscription AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= p_now
       ORDER BY d.next_attempt_at, d.id LIMIT 20
    ) AS s WHERE s.position IS NULL ORDER BY s.id LIMIT 1;
    IF FOUND AND v_count < p_most AND v_of.key <> ALL (v_busy) THEN
      v_count := v_count + 1;
      v_ids := v_ids || v_of.event_id;
      v_posts := v_posts || v_count;
      v_busy := v_busy || v_of.key;
    END IF;
    <<keys>>
    LOOP
      EXIT WHEN v_count >= p_most;
      SELECT d.ordering_key INTO v_key FROM webhook_deliveries d
       WHERE d.subscription_id = p_subscription AND d.ordering_key >= v_from AND d.status = 'PENDING' AND d.position IS NOT NULL
       ORDER BY d.subscription_id, d.ordering_key, d.position, d.id LIMIT 1;
      IF NOT FOUND THEN
        EXIT WHEN v_wrapped;
        v_wrapped := true;
        v_from := '';
        CONTINUE;
      END IF;
      EXIT WHEN v_wrapped AND v_start <> '' AND v_key >= v_start;
      IF v_seen >= 1000 THEN
        v_resume := v_key;
        EXIT;
      END IF;
      v_seen := v_seen + 1;
      v_from := v_key || chr(1);
      CONTINUE WHEN v_key = ANY (v_busy);
      FOR v_of IN
        SELECT d.event_id, d.position, d.next_trigger, d.next_attempt_at, d.is_retry,
               (SELECT octet_length(e.payload::text) FROM webhook_events e WHERE e.tenant_id = p_tenant AND e.id = d.event_id) AS bytes
          FROM webhook_deliveries d
         WHERE d.subscription_id = p_subscription AND d.ordering_key = v_key AND d.status = 'PENDING' AND d.position IS NOT NULL
         ORDER BY d.subscription_id, d.ordering_key, d.position, d.id LIMIT v_max + 100
      LOOP
        IF v_of.next_attempt_at > p_now OR v_of.is_retry THEN
          -- What is sent again stops nobody while it waits for its retry.
          CONTINUE WHEN v_of.position < 0;
          IF v_of.next_attempt_at > p_now THEN v_until := least(v_until, v_of.next_attempt_at); ELSE v_unknown := true; END IF;
          EXIT;
        END IF;
        IF v_of.next_trigger = 'manual' THEN
          -- Behind others of its key that are in the open batch it waits for them.
          IF v_key = ANY (v_busy) THEN EXIT; END IF;
          v_count := v_count + 1;
          v_ids := v_ids || v_of.event_id;
          v_posts := v_posts || v_count;
          EXIT;
        END IF;
        IF cardinality(v_open) > 0 AND v_bytes + coalesce(v_of.bytes, 0) > 1048576 THEN
          v_count := v_count + 1;
          v_ids := v_ids || v_open;
          v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_open)]);
          v_open := '{}';
          EXIT WHEN v_key = ANY (v_busy) OR v_count >= p_most;
        END IF;
        IF cardinality(v_open) = 0 THEN
          v_bytes := 0;
          v_oldest := NULL;
        END IF;
        v_open := v_open || v_of.event_id;
        v_bytes := v_bytes + coalesce(v_of.bytes, 0);
        v_oldest := least(v_oldest, v_of.next_attempt_at);
        v_busy := v_busy || v_key;
        IF cardinality(v_open) >= v_max THEN
          v_count := v_count + 1;
          v_ids := v_ids || v_open;
          v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_open)]);
          v_open := '{}';
          EXIT;
        END IF;
      END LOOP;
    END LOOP keys;
    IF v_resume IS NULL AND v_count >= p_most AND v_seen > 0 THEN
      v_resume := CASE WHEN EXISTS (
        SELECT FROM webhook_deliveries d
         WHERE d.subscription_id = p_subscription AND d.ordering_key >= v_from AND d.status = 'PENDING' AND d.position IS NOT NULL
      ) THEN v_from ELSE '' END;
      IF v_resume = v_start THEN v_resume := NULL; END IF;
    END IF;
  ELSIF v_count < p_most THEN
    FOR v_of IN
      SELECT d.event_id, d.next_trigger, d.next_attempt_at,
             (SELECT octet_length(e.payload::text) FROM webhook_events e WHERE e.tenant_id = p_tenant AND e.id = d.event_id) AS bytes
        FROM webhook_deliveries d
       WHERE d.subscription_id = p_subscription AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= p_now
       ORDER BY d.next_attempt_at, d.id LIMIT (p_most - v_count) * v_max
    LOOP
      EXIT WHEN v_count >= p_most;
      IF v_of.next_trigger = 'manual' THEN
        v_count := v_count + 1;
        v_ids := v_ids || v_of.event_id;
        v_posts := v_posts || v_count;
        CONTINUE;
      END IF;
      IF cardinality(v_open) > 0 AND v_bytes + coalesce(v_of.bytes, 0) > 1048576 THEN
        v_count := v_count + 1;
        v_ids := v_ids || v_open;
        v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_open)]);
        v_open := '{}';
        EXIT WHEN v_count >= p_most;
      END IF;
      IF cardinality(v_open) = 0 THEN
        v_bytes := 0;
        v_oldest := v_of.next_attempt_at;
      END IF;
      v_open := v_open || v_of.event_id;
      v_bytes := v_bytes + coalesce(v_of.bytes, 0);
      IF cardinality(v_open) >= v_max THEN
        v_count := v_count + 1;
        v_ids := v_ids || v_open;
        v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_open)]);
        v_open := '{}';
      END IF;
    END LOOP;
  END IF;

  -- Retries that may not go beside others: as with single requests, whoever has them under way goes on.
  IF v_unknown AND NOT v_ordered THEN v_count := greatest(v_count, p_most); END IF;
  IF cardinality(v_open) > 0 AND v_count < p_most THEN
    IF v_oldest + v_wait <= p_now THEN
      v_count := v_count + 1;
      v_ids := v_ids || v_open;
      v_posts := v_posts || array_fill(v_count, ARRAY[cardinality(v_open)]);
      v_open := '{}';
    ELSE
      RETURN (v_ids, v_posts, v_count, true, v_oldest + v_wait, v_resume)::webhook_found_batches;
    END IF;
  END IF;
  RETURN (v_ids, v_posts, v_count, NOT v_ordered,
          CASE WHEN NOT v_unknown AND v_count = 0 AND v_resume IS NULL THEN v_until END, v_resume)::webhook_found_batches;
END
$$`;
