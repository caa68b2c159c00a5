import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tables, roles, row-level security and the fan-out function of the webhooks module. */
export class CreateWebhooks1764000000000 implements MigrationInterface {
  name = 'CreateWebhooks1764000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [ROLES, TABLES, POLICIES, GRANTS, UUID_V7, EMIT])
      await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_emit(text, uuid, text, text[], json, text, text, boolean);
      DROP FUNCTION webhook_uuid_v7();
      DROP TABLE webhook_attempts, webhook_deliveries, webhook_events, webhook_subscriptions;
      REVOKE USAGE ON SCHEMA public FROM webhooks_tenant, webhooks_worker;
    `);
    await queryRunner.query(DROP_ROLES);
  }
}

/*
 * Roles belong to the server, not to the database: another database of the same server may have made them already, or be
 * making them at this moment (unique_violation, duplicate_object). Membership lets a plain login role take them on; since
 * PostgreSQL 16 that is the option SET, which the creator of a role has to give itself. INHERIT FALSE: a connection that
 * took on no role must not have what the worker may do. Where the login may not grant, the service says at its start
 * which GRANT is missing.
 */
const ROLES = `
DO $$
DECLARE
  v_role text;
  v_has_set boolean := current_setting('server_version_num')::int >= 160000;
  v_options text := CASE WHEN v_has_set THEN ' WITH SET TRUE, INHERIT FALSE' ELSE '' END;
BEGIN
  FOREACH v_role IN ARRAY ARRAY['webhooks_tenant', 'webhooks_worker'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', v_role);
      END IF;
    EXCEPTION
      WHEN unique_violation OR duplicate_object THEN
        RAISE NOTICE 'role % was created meanwhile', v_role;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION '% may not create the role %. As an administrator: CREATE ROLE webhooks_tenant NOLOGIN; CREATE ROLE webhooks_worker NOLOGIN; GRANT webhooks_tenant, webhooks_worker TO %;',
          current_user, v_role, quote_ident(current_user) || v_options USING ERRCODE = 'insufficient_privilege';
    END;
    IF NOT pg_has_role(current_user, v_role, CASE WHEN v_has_set THEN 'SET' ELSE 'MEMBER' END) THEN
      BEGIN
        EXECUTE format('GRANT %I TO CURRENT_USER', v_role) || v_options;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING '% may not be granted to %', v_role, current_user;
      END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', v_role);
  END LOOP;
END
$$`;

/* They stay when another database of the server still grants them something. */
const DROP_ROLES = `
DO $$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY['webhooks_tenant', 'webhooks_worker'] LOOP
    BEGIN
      EXECUTE format('DROP ROLE IF EXISTS %I', v_role);
    EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
      RAISE NOTICE 'role % is still used elsewhere and stays', v_role;
    END;
  END LOOP;
END
$$`;

/*
 * Tenant first in every key and list index. The due-list lives in two partial indexes, so its cost follows what is
 * pending and never what is stored. No foreign key leads to webhook_subscriptions: it would lock the subscription's row
 * in every emitting transaction, and subscriptions are never deleted.
 */
const TABLES = `
CREATE TABLE webhook_subscriptions (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  event text NOT NULL,
  url text NOT NULL,
  secret text NOT NULL,
  active boolean NOT NULL DEFAULT true,
  deactivated_at timestamptz,
  deactivation_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_subscriptions_pk PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX webhook_subscriptions_active_uq ON webhook_subscriptions (tenant_id, event, url) WHERE active;

CREATE TABLE webhook_events (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  event text NOT NULL,
  payload json NOT NULL,
  idempotency_key text,
  fingerprint text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_events_pk PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX webhook_events_idempotency_uq ON webhook_events (tenant_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE webhook_deliveries (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  event text NOT NULL,
  status text NOT NULL DEFAULT 'PENDING',
  attempts integer NOT NULL DEFAULT 0,
  auto_attempts integer NOT NULL DEFAULT 0,
  next_trigger text NOT NULL DEFAULT 'auto',
  next_attempt_at timestamptz DEFAULT now(),
  lease_token uuid,
  leased_until timestamptz,
  target_url text NOT NULL,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_deliveries_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_deliveries_event_fk FOREIGN KEY (tenant_id, event_id)
    REFERENCES webhook_events (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT webhook_deliveries_status_ck CHECK (status IN ('PENDING', 'SENDING', 'DELIVERED', 'FAILED')),
  CONSTRAINT webhook_deliveries_trigger_ck CHECK (next_trigger IN ('auto', 'manual'))
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_status_ix ON webhook_deliveries (tenant_id, status, id);
CREATE INDEX webhook_deliveries_subscription_ix ON webhook_deliveries (tenant_id, subscription_id, id);
CREATE INDEX webhook_deliveries_event_ix ON webhook_deliveries (tenant_id, event_id);
CREATE INDEX webhook_deliveries_due_ix ON webhook_deliveries (subscription_id, next_attempt_at, id)
  WHERE status = 'PENDING';
CREATE INDEX webhook_deliveries_leased_ix ON webhook_deliveries (subscription_id, leased_until)
  WHERE status = 'SENDING';

CREATE TABLE webhook_attempts (
  tenant_id text NOT NULL,
  delivery_id uuid NOT NULL,
  number integer NOT NULL,
  trigger text NOT NULL,
  started_at timestamptz NOT NULL,
  duration_ms integer NOT NULL,
  status_code integer,
  error_class text,
  error text,
  request_headers json NOT NULL,
  response_body text,
  CONSTRAINT webhook_attempts_pk PRIMARY KEY (tenant_id, delivery_id, number),
  CONSTRAINT webhook_attempts_delivery_fk FOREIGN KEY (tenant_id, delivery_id)
    REFERENCES webhook_deliveries (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT webhook_attempts_trigger_ck CHECK (trigger IN ('auto', 'manual'))
)`;

const RLS_TABLES = ['webhook_subscriptions', 'webhook_events', 'webhook_deliveries', 'webhook_attempts'];

/* The policy holds for every role, so that emit is held to it in a caller's own role; only the worker sees all tenants. */
const POLICIES = RLS_TABLES.map(
  (table) => `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY ${table}_tenant ON ${table}
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY ${table}_worker ON ${table} TO webhooks_worker USING (true) WITH CHECK (true);`,
).join('\n');

const GRANTS = `
GRANT SELECT, INSERT ON webhook_subscriptions, webhook_events, webhook_deliveries TO webhooks_tenant;
GRANT UPDATE (event, url, secret, active, deactivated_at, deactivation_reason, updated_at)
  ON webhook_subscriptions TO webhooks_tenant;
GRANT UPDATE (status, next_trigger, next_attempt_at, target_url, updated_at) ON webhook_deliveries TO webhooks_tenant;
GRANT SELECT ON webhook_attempts TO webhooks_tenant;

GRANT SELECT ON webhook_subscriptions, webhook_events, webhook_deliveries, webhook_attempts TO webhooks_worker;
GRANT UPDATE (active, deactivated_at, deactivation_reason, updated_at) ON webhook_subscriptions TO webhooks_worker;
GRANT UPDATE (status, attempts, auto_attempts, next_trigger, next_attempt_at, lease_token, leased_until, target_url,
  last_error, updated_at) ON webhook_deliveries TO webhooks_worker;
GRANT INSERT ON webhook_attempts TO webhooks_worker;
GRANT UPDATE (started_at, duration_ms, status_code, error_class, error, request_headers, response_body)
  ON webhook_attempts TO webhooks_worker`;

/* RFC 9562 §5.7: 48 bits of milliseconds, then the version, the variant and 74 random bits. */
const UUID_V7 = `
CREATE FUNCTION webhook_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid
$$`;

/*
 * Emit in one round trip, in the role and transaction of the caller. The tenant is set for these statements alone and
 * the caller's own setting put back; an error rolls it back with everything else. outcome: stored, unmatched, repeated.
 */
const EMIT = `
CREATE FUNCTION webhook_emit(
  p_tenant text, p_event_id uuid, p_event text, p_patterns text[], p_payload json,
  p_idempotency_key text, p_fingerprint text, p_only_if_matched boolean,
  OUT outcome text, OUT event_id uuid, OUT fingerprint text, OUT delivery_ids uuid[], OUT subscription_ids uuid[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_previous text := current_setting('app.current_tenant_id', true);
  v_inserted integer;
BEGIN
  PERFORM set_config('app.current_tenant_id', p_tenant, true);
  outcome := NULL;
  IF p_idempotency_key IS NOT NULL THEN
    SELECT 'repeated', e.id, e.fingerprint INTO outcome, event_id, fingerprint
      FROM webhook_events e WHERE e.tenant_id = p_tenant AND e.idempotency_key = p_idempotency_key;
  END IF;
  IF outcome IS NULL AND p_only_if_matched AND NOT EXISTS (
    SELECT FROM webhook_subscriptions s WHERE s.tenant_id = p_tenant AND s.active AND s.event = ANY (p_patterns)
  ) THEN
    outcome := 'unmatched';
  END IF;
  IF outcome IS NULL THEN
    INSERT INTO webhook_events (tenant_id, id, event, payload, idempotency_key, fingerprint)
      VALUES (p_tenant, p_event_id, p_event, p_payload, p_idempotency_key, p_fingerprint)
      ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING;
    GET DIAGNOSTICS v_inserted = ROW_COUNT;
    IF v_inserted = 1 THEN
      outcome := 'stored';
      event_id := p_event_id;
      fingerprint := p_fingerprint;
      WITH fanned_out AS (
        INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
          SELECT s.tenant_id, webhook_uuid_v7(), p_event_id, s.id, p_event, s.url
            FROM webhook_subscriptions s
           WHERE s.tenant_id = p_tenant AND s.active AND s.event = ANY (p_patterns)
           ORDER BY s.id
        RETURNING id, subscription_id
      )
      SELECT array_agg(f.id ORDER BY f.id), array_agg(f.subscription_id ORDER BY f.id) INTO delivery_ids, subscription_ids FROM fanned_out f;
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
  PERFORM set_config('app.current_tenant_id', coalesce(v_previous, ''), true);
END
$$`;
