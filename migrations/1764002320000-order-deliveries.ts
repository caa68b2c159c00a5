import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Where a delivery stands in an endpoint that wants its events in order, and what finds the next ones. Endpoints without an
 * order have neither a position nor an entry in the index.
 */
export class OrderDeliveries1764002320000 implements MigrationInterface {
  name = 'OrderDeliveries1764002320000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMNS, GRANTS, FOUND, HEADS, WAITS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_order_waits(text, uuid, timestamptz);
      DROP FUNCTION webhook_heads(uuid, text, integer, integer, timestamptz);
      DROP TYPE webhook_found_heads;
      ALTER TABLE webhook_lanes DROP COLUMN order_from;
      DROP INDEX webhook_deliveries_order_ix;
      ALTER TABLE webhook_deliveries DROP COLUMN ordering_key, DROP COLUMN position;
      ALTER TABLE webhook_events DROP COLUMN ordering_key;
      DROP SEQUENCE webhook_positions`);
  }
}

/*
 * position: taken where the event is stored; below 0: sent again, before what waits. One number at a time (CACHE 1), so that
 * what was committed before something else was stored has the lower one, whatever connections they came by. ordering_key of a
 * delivery: of its event, '' where that has none; null where the endpoint wants no order. By bytes, so that what comes next to
 * a key does not depend on the database's language. order_from: where an opening that could not look at every key went on.
 */
const COLUMNS = `
CREATE SEQUENCE webhook_positions AS bigint CACHE 1;
ALTER TABLE webhook_events ADD COLUMN ordering_key text;
ALTER TABLE webhook_deliveries ADD COLUMN position bigint, ADD COLUMN ordering_key text COLLATE "C";
CREATE INDEX webhook_deliveries_order_ix ON webhook_deliveries (subscription_id, ordering_key, position, id)
  WHERE status = 'PENDING' AND position IS NOT NULL;
ALTER TABLE webhook_lanes ADD COLUMN order_from text COLLATE "C"`;

const GRANTS = `
GRANT USAGE ON SEQUENCE webhook_positions TO webhooks_tenant, webhooks_worker;
GRANT UPDATE (position, ordering_key) ON webhook_deliveries TO webhooks_tenant, webhooks_worker;
GRANT UPDATE (order_from) ON webhook_lanes TO webhooks_worker`;

const FOUND = 'CREATE TYPE webhook_found_heads AS (event_ids uuid[], until timestamptz, resume text)';

/*
 * The next delivery of each key of a lane, of those keys of which nothing is under way: p_most at most, of them p_retries that
 * failed before. One lookup for each key, however many of it wait. What is sent again comes before what waits, and stops nobody
 * while it waits for its retry itself. Those without a position, of before the endpoint wanted an order, come first; a test of
 * the endpoint, which has neither a position nor a process, is no part of the order.
 *
 * until: when the next may go, as far as that is known; null also where something is under way, or was found. resume: where to
 * go on when not every key was looked at.
 */
const HEADS = `
CREATE FUNCTION webhook_heads(
  p_subscription uuid, p_from text, p_most integer, p_retries integer, p_now timestamptz
) RETURNS webhook_found_heads LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_busy text[] := ARRAY(SELECT coalesce(d.ordering_key, '') FROM webhook_deliveries d
                          WHERE d.subscription_id = p_subscription AND d.status = 'SENDING'
                            AND (d.position IS NOT NULL OR d.leased_by IS NOT NULL));
  v_unknown boolean := cardinality(v_busy) > 0;
  v_start text := coalesce(p_from, '');
  v_from text := v_start;
  v_wrapped boolean := v_start = '';
  v_retries integer := p_retries;
  v_seen integer := 0;
  v_next timestamptz;
  v_of record;
  v_ids uuid[] := '{}';
  v_until timestamptz;
  v_resume text;
BEGIN
  IF p_most <= 0 THEN RETURN (v_ids, v_until, v_resume)::webhook_found_heads; END IF;
  SELECT s.event_id, coalesce(s.ordering_key, '') AS key INTO v_of FROM (
    (SELECT d.event_id, d.ordering_key, d.position, d.next_attempt_at, d.id FROM webhook_deliveries d
      WHERE d.subscription_id = p_subscription AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= p_now
      ORDER BY d.next_attempt_at, d.id LIMIT 20)
    UNION ALL
    (SELECT d.event_id, d.ordering_key, d.position, d.next_attempt_at, d.id FROM webhook_deliveries d
      WHERE d.subscription_id = p_subscription AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= p_now
      ORDER BY d.next_attempt_at, d.id LIMIT 20)
  ) AS s WHERE s.position IS NULL ORDER BY s.id LIMIT 1;
  IF FOUND AND v_of.key <> ALL (v_busy) THEN
    v_ids := v_ids || v_of.event_id;
    v_busy := v_busy || v_of.key;
  END IF;
  LOOP
    EXIT WHEN cardinality(v_ids) >= p_most;
    SELECT d.ordering_key AS key, d.position, d.event_id, d.next_attempt_at, d.is_retry INTO v_of FROM webhook_deliveries d
     WHERE d.subscription_id = p_subscription AND d.ordering_key >= v_from AND d.status = 'PENDING' AND d.position IS NOT NULL
     ORDER BY d.subscription_id, d.ordering_key, d.position, d.id LIMIT 1;
    IF NOT FOUND THEN
      EXIT WHEN v_wrapped;
      v_wrapped := true;
      v_from := '';
      CONTINUE;
    END IF;
    EXIT WHEN v_wrapped AND v_start <> '' AND v_of.key >= v_start;
    IF v_seen >= 1000 THEN
      v_resume := v_of.key;
      EXIT;
    END IF;
    v_seen := v_seen + 1;
    -- No key has a control character: this is the first text after it.
    v_from := v_of.key || chr(1);
    CONTINUE WHEN v_of.key = ANY (v_busy);
    IF v_of.position < 0 THEN
      v_next := v_of.next_attempt_at;
      SELECT a.* INTO v_of FROM (
        (SELECT d.ordering_key AS key, d.position, d.event_id, d.next_attempt_at, d.is_retry, d.id FROM webhook_deliveries d
          WHERE d.subscription_id = p_subscription AND d.ordering_key = v_of.key AND d.status = 'PENDING' AND d.position < 0
          ORDER BY d.subscription_id, d.ordering_key, d.position, d.id LIMIT 100)
        UNION ALL
        (SELECT d.ordering_key, d.position, d.event_id, d.next_attempt_at, d.is_retry, d.id FROM webhook_deliveries d
          WHERE d.subscription_id = p_subscription AND d.ordering_key = v_of.key AND d.status = 'PENDING' AND d.position >= 0
          ORDER BY d.subscription_id, d.ordering_key, d.position, d.id LIMIT 1)
      ) AS a WHERE a.position >= 0 OR a.next_attempt_at <= p_now ORDER BY a.position, a.id LIMIT 1;
      IF NOT FOUND THEN
        v_until := least(v_until, v_next);
        CONTINUE;
      END IF;
    END IF;
    IF v_of.next_attempt_at > p_now THEN
      v_until := least(v_until, v_of.next_attempt_at);
    ELSIF v_of.is_retry AND v_retries <= 0 THEN
      v_unknown := true;
    ELSE
      v_ids := v_ids || v_of.event_id;
      v_retries := v_retries - v_of.is_retry::int;
    END IF;
  END LOOP;
  -- Where there is more than could be taken, the next opening begins after the last one.
  IF v_resume IS NULL AND cardinality(v_ids) >= p_most AND v_seen > 0 THEN
    v_resume := CASE WHEN EXISTS (
      SELECT FROM webhook_deliveries d
       WHERE d.subscription_id = p_subscription AND d.ordering_key >= v_from AND d.status = 'PENDING' AND d.position IS NOT NULL
    ) THEN v_from ELSE '' END;
    IF v_resume = v_start THEN v_resume := NULL; END IF;
  END IF;
  IF v_unknown OR v_resume IS NOT NULL OR cardinality(v_ids) > 0 THEN v_until := NULL; END IF;
  RETURN (v_ids, v_until, v_resume)::webhook_found_heads;
END
$$`;

/* Whether nothing of a lane can go now because of what goes before it: then there is nothing to ring it for. */
const WAITS = `
CREATE FUNCTION webhook_order_waits(p_tenant text, p_subscription uuid, p_now timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT CASE WHEN s.settings ->> 'ordering' = 'fifo'
                THEN (SELECT cardinality(h.event_ids) = 0 AND h.resume IS NULL FROM webhook_heads(s.id, '', 1, 1, p_now) AS h) END
      FROM webhook_subscriptions s WHERE s.tenant_id = p_tenant AND s.id = p_subscription AND s.active), false)
$$`;
