import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { PROTECTED_TABLES } from '../../src/platform/database/protected-tables.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { queryOnce } from '../support/postgres-server.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

const PERSISTENCE = join(import.meta.dirname, '../../src/modules/webhooks/infrastructure/persistence');

/** Tables of the installation, not of tenants: each node of a distributed database has them whole. */
const OF_THE_INSTALLATION = ['migrations', 'panel_sessions', 'webhook_jwt_keys', 'webhook_workers'];

const TABLES = PROTECTED_TABLES.map(({ name }) => name).filter((name) => !OF_THE_INSTALLATION.includes(name));

/**
 * Unique indexes that contain the tenant and do not begin with it. An index that a planner without statistics may take for its
 * tenant alone is one that it takes for all of the tenant's rows: these begin with what is one row.
 */
const TENANT_BEHIND = [
  'webhook_deliveries_event_uq',
  'webhook_events_idempotency_uq',
  'webhook_notices_exhausted_uq',
];

/** Passes over all tenants, which each node makes over its own rows. */
const OVER_ALL_TENANTS: Readonly<Record<string, string>> = {
  'read-backlog.ts: webhook_deliveries': 'how much waits',
  'typeorm-sealed-secrets.ts: webhook_subscriptions': 'secrets whose overlap is over',
};

/** Pieces of statements, whose other pieces name the tenant. */
const PIECES: Readonly<Record<string, string>> = {
  'task-selection.ts: webhook_events r': 'the condition of the selection',
  'typeorm-delivery-lanes.ts: webhook_deliveries d': 'the lease (HELD)',
};

/** A table of tenants where a statement reads or changes it, and what it is called there. */
const USE = new RegExp(
  String.raw`\b(?:FROM|JOIN|UPDATE|USING)\s+(?:ONLY\s+)?(${TABLES.join('|')})\b(?:\s+(?:AS\s+)?(?!(?:SET|WHERE|ON|USING|SELECT|VALUES|ORDER|LIMIT|FOR|CROSS|JOIN|LEFT|GROUP|DEFAULT|AS)\b)([a-z_]\w*))?`,
  'gi',
);

/** Of a statement, the uses of tables that it ties neither to a tenant nor to one lane, which is of one tenant. */
function untied(statement: string): string[] {
  return [...statement.matchAll(USE)].flatMap(([, table = '', alias]) => {
    const name = alias ?? table;
    const ofTenant =
      new RegExp(String.raw`\b${name}\.tenant_id\b`).test(statement) ||
      (alias === undefined && /(?<![.\w])tenant_id\b/.test(statement));
    const ofLane = new RegExp(String.raw`\b${name}\.subscription_id = (?:p_subscription|[a-z]\.id)\b`).test(
      statement,
    );
    return ofTenant || ofLane ? [] : [alias === undefined ? table : `${table} ${alias}`];
  });
}

/*
 * What lets the tables be dealt out to nodes by tenant, as Citus does it: every key has the tenant in it, and rows that are
 * brought together are of one tenant. Red when a migration makes a table without a tenant, a key that is unique over all
 * tenants, a foreign key; or when a statement joins by anything else.
 */
describeWithPostgres('every tenant’s rows can lie by themselves', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createMigratedDatabase();
  });
  afterAll(async () => {
    await database?.drop();
  });

  it('each table begins with the tenant, except those of the installation', async () => {
    const rows = await queryOnce<{ name: string; first: string; nullable: string }>(
      database.url,
      `SELECT t.table_name AS name, c.column_name AS first, c.is_nullable AS nullable
         FROM information_schema.tables t JOIN information_schema.columns c
           ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.ordinal_position = 1
        WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1`,
    );
    const ofTenants = rows.filter(({ name }) => !OF_THE_INSTALLATION.includes(name));
    expect(ofTenants).toEqual(
      [...TABLES].sort().map((name) => ({ name, first: 'tenant_id', nullable: 'NO' })),
    );
  });

  it('each key begins with it, and each unique index has it', async () => {
    const rows = await queryOnce<{ name: string; columns: string[]; is_primary: boolean }>(
      database.url,
      `SELECT i.indexrelid::regclass::text AS name, i.indisprimary AS is_primary,
              ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) AS k) AS columns
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relname <> ALL ('{${OF_THE_INSTALLATION.join(',')}}')`,
    );
    expect(rows.filter(({ columns }) => !columns.includes('tenant_id'))).toEqual([]);
    const behind = rows.filter(({ columns }) => columns[0] !== 'tenant_id').map(({ name }) => name);
    expect(behind.sort()).toEqual(TENANT_BEHIND);
    expect(rows.filter((row) => row.is_primary && row.columns[0] !== 'tenant_id')).toEqual([]);
    const foreign = await queryOnce(database.url, `SELECT conname FROM pg_constraint WHERE contype = 'f'`);
    expect(foreign).toEqual([]);
  });

  it('each statement ties what it brings together to one tenant', async () => {
    const functions = await queryOnce<{ name: string; text: string }>(
      database.url,
      `SELECT proname AS name, prosrc AS text FROM pg_proc WHERE pronamespace = 'public'::regnamespace`,
    );
    const found = functions.flatMap(({ name, text }) =>
      text.split(';').flatMap((statement) => untied(statement).map((use) => `${name}: ${use}`)),
    );
    expect(found).toEqual([]);
    const files = readdirSync(PERSISTENCE).filter((name) => /(?<!\.spec)\.ts$/.test(name));
    const inCode = files.flatMap((name) =>
      [...readFileSync(join(PERSISTENCE, name), 'utf8').matchAll(/`([^`]*)`/g)].flatMap(([, text = '']) =>
        untied(text).map((use) => `${name}: ${use}`),
      ),
    );
    expect([...new Set(inCode)].sort()).toEqual(Object.keys({ ...OVER_ALL_TENANTS, ...PIECES }).sort());
  });

  it('would show what does not', () => {
    const joined =
      'SELECT FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id WHERE d.tenant_id = $1';
    expect(untied(joined)).toEqual(['webhook_events e']);
    expect(untied('DELETE FROM webhook_attempts WHERE delivery_id = $1')).toEqual(['webhook_attempts']);
    expect(untied('SELECT FROM webhook_deliveries d WHERE d.subscription_id = p_subscription')).toEqual([]);
  });
});
