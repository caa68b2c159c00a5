import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An active subscription is one of its event and target, however the target is written and however long it is. */
export class SameTarget1764001100000 implements MigrationInterface {
  name = 'SameTarget1764001100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TARGET_KEY, DUPLICATES, INDEX]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_subscriptions_active_uq;
      CREATE UNIQUE INDEX webhook_subscriptions_active_uq ON webhook_subscriptions (tenant_id, event, url) WHERE active;
      DROP FUNCTION webhook_target_key(text)`);
  }
}

/*
 * Protocol and host in small letters, without the port that the protocol has anyway, and a path in any case: what the URL
 * parser makes of them. A hash, because an entry of an index may have 2,704 bytes, and a URL alone nearly as many.
 */
const TARGET_KEY = `
CREATE FUNCTION webhook_target_key(p_url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT encode(sha256(convert_to(
    CASE WHEN starts_with(origin, 'https://') AND right(origin, 4) = ':443' THEN left(origin, -4)
         WHEN starts_with(origin, 'http://') AND right(origin, 3) = ':80' THEN left(origin, -3)
         ELSE origin END
      || CASE WHEN starts_with(rest, '/') THEN rest ELSE '/' || rest END, 'UTF8')), 'hex')
    FROM (SELECT lower(written) AS origin, substr(p_url, length(written) + 1) AS rest
            FROM (SELECT coalesce(substring(p_url FROM '^[^:/?#]+://[^/?#]*'), '') AS written) AS o) AS parts
$$`;

/* Of those that were two until now, the oldest goes on. The owner is held to row-level security, and this is for all tenants. */
const DUPLICATES = `
ALTER TABLE webhook_subscriptions NO FORCE ROW LEVEL SECURITY;
UPDATE webhook_subscriptions s
   SET active = false, deactivated_at = now(), updated_at = now(),
       deactivation_reason = 'Another subscription has the same event and target'
  FROM webhook_subscriptions older
 WHERE s.active AND older.active AND older.tenant_id = s.tenant_id AND older.event = s.event AND older.id < s.id
   AND webhook_target_key(older.url) = webhook_target_key(s.url);
ALTER TABLE webhook_subscriptions FORCE ROW LEVEL SECURITY`;

const INDEX = `
DROP INDEX webhook_subscriptions_active_uq;
CREATE UNIQUE INDEX webhook_subscriptions_active_uq ON webhook_subscriptions (tenant_id, event, webhook_target_key(url))
  WHERE active`;
