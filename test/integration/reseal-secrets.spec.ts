import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';

import { ResealSecrets } from '../../src/modules/webhooks/application/reseal-secrets.js';
import type {
  SecretContext,
  SecretPurpose,
} from '../../src/modules/webhooks/application/ports/secret-vault.js';
import { AesGcmSecretVault } from '../../src/modules/webhooks/infrastructure/crypto/aes-gcm-secret-vault.js';
import { TypeormSealedSecrets } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-sealed-secrets.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { SecretText } from '../../src/platform/kernel/secret-text.js';
import { PinoAppLogger } from '../../src/platform/observability/pino-app-logger.js';
import { eventually } from '../support/eventually.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const SECRET = 'the-secret-before-the-rotation';

describeWithPostgres('the re-encryption of what is stored', () => {
  const oldVault = new AesGcmSecretVault([{ kid: 'a', key: Buffer.alloc(32, 1) }]);
  const vault = new AesGcmSecretVault([
    { kid: 'b', key: Buffer.alloc(32, 2) },
    { kid: 'a', key: Buffer.alloc(32, 1) },
  ]);
  let database: TestDatabase;
  let admin: pg.Client;
  let dataSource: DataSource;
  let sealed: TypeormSealedSecrets;
  let reseal: ResealSecrets;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    dataSource = await new DataSource(dataSourceOptions(database.url, 4)).initialize();
    sealed = new TypeormSealedSecrets(new WorkerTransaction(dataSource));
    reseal = new ResealSecrets(sealed, vault, new PinoAppLogger({ level: 'silent', pretty: false }));
  }, 180_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await admin?.end();
    await database?.drop();
  });

  const idsOf = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`);
  const fill = async (count: number): Promise<void> => {
    await admin.query('DELETE FROM webhook_subscriptions');
    const ids = idsOf(count);
    await admin.query(
      `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret)
       SELECT 't', i, i::text, 'https://x.customer.com', s FROM unnest($1::uuid[], $2::text[]) r (i, s)`,
      [
        ids,
        ids.map((id) =>
          oldVault.seal(new SecretText(SECRET), { tenantId: 't', subscriptionId: id, purpose: 'signing' }),
        ),
      ],
    );
  };

  // Red for each kind of record that the walk does not know, or puts back in another's place.
  it('brings every kind of record under the new key, each in its own place and opened for its own purpose alone', async () => {
    await fill(1);
    const [id] = idsOf(1);
    const texts = {
      ...{ signing: 'a secret', signing_previous: 'the one before', headers: '{"Authorization":"x"}' },
      ...{ signing_key: 'a private key', signing_key_previous: 'the private key before' },
    } as const;
    const contextOf = (purpose: SecretPurpose): SecretContext => ({
      ...{ tenantId: 't', subscriptionId: id!, purpose },
    });
    const old = Object.fromEntries(
      Object.entries(texts).map(([purpose, text]) => [
        purpose,
        oldVault.seal(new SecretText(text), contextOf(purpose as SecretPurpose)),
      ]),
    );
    await admin.query(
      `UPDATE webhook_subscriptions
          SET secret = $1, previous_secret = $2, previous_secret_expires_at = now() + interval '1 hour',
              settings = jsonb_build_object('sealed_headers', $3::text, 'sealed_key', $4::text, 'sealed_previous_key', $5::text)`,
      Object.values(old),
    );
    const stale = Object.keys(texts).length;
    expect(await sealed.count(vault.currentMark, vault.knownMarks)).toEqual({ stale, unreadable: 0 });
    expect(await reseal.execute(() => false)).toEqual({ resealed: stale, unreadable: 0, ended: 'complete' });
    const { rows } = await admin.query<Record<SecretPurpose, string>>(
      `SELECT secret AS signing, previous_secret AS signing_previous, settings ->> 'sealed_headers' AS headers,
              settings ->> 'sealed_key' AS signing_key, settings ->> 'sealed_previous_key' AS signing_key_previous
         FROM webhook_subscriptions`,
    );
    const opened = Object.entries(rows[0]!).map(([purpose, record]) => {
      expect({ purpose, isNew: record.startsWith(vault.currentMark) }).toEqual({ purpose, isNew: true });
      return [purpose, vault.open(record, contextOf(purpose as SecretPurpose)).reveal()];
    });
    expect(Object.fromEntries(opened)).toEqual(texts);
    expect(await sealed.count(vault.currentMark, vault.knownMarks)).toEqual({ stale: 0, unreadable: 0 });
  });

  it('never overwrites a secret that a tenant replaced meanwhile', async () => {
    await fill(2);
    const tenant = new pg.Client({ connectionString: database.url });
    await tenant.connect();
    await tenant.query('BEGIN');
    const newer = vault.seal(new SecretText('newer-secret'), {
      tenantId: 't',
      subscriptionId: '00000000-0000-7000-8000-000000000001',
      purpose: 'signing',
    });
    await tenant.query(`UPDATE webhook_subscriptions SET secret = $1 WHERE id::text LIKE '%1'`, [newer]);
    const walk = reseal.execute(() => false);
    // It has read the old record and waits for the row: now the tenant commits.
    await eventually(async () => {
      const { rowCount } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
    await tenant.query('COMMIT');
    await tenant.end();
    // Red without `AND s.secret = r.sealed`.
    expect(await walk).toEqual({ resealed: 1, unreadable: 0, ended: 'complete' });
    const { rows } = await admin.query<{ secret: string }>(
      'SELECT secret FROM webhook_subscriptions ORDER BY id',
    );
    expect(rows[1]!.secret).toBe(newer);
    expect(await sealed.count(vault.currentMark, vault.knownMarks)).toEqual({ stale: 0, unreadable: 0 });
  }, 180_000);

  it('is done by one process at a time', async () => {
    await fill(1);
    const first = dataSource.createQueryRunner();
    await first.startTransaction();
    await first.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('webhooks: re-encryption of secrets', 0))`,
    );
    expect(await reseal.execute(() => false)).toMatchObject({ resealed: 0, ended: 'busy' });
    await first.rollbackTransaction();
    await first.release();
    expect(await reseal.execute(() => false)).toMatchObject({ resealed: 1, ended: 'complete' });
  });

  it('stops after the batch under way, and goes on where it is started again', async () => {
    await fill(450);
    let asked = 0;
    expect(await reseal.execute(() => (asked += 1) > 1)).toMatchObject({ resealed: 200, ended: 'stopped' });
    expect(await sealed.count(vault.currentMark, vault.knownMarks)).toEqual({ stale: 250, unreadable: 0 });
    expect(await reseal.execute(() => false)).toMatchObject({ resealed: 250, ended: 'complete' });
  }, 180_000);

  it('passes by what it cannot read, and forgets what has expired', async () => {
    await fill(450);
    await admin.query(`UPDATE webhook_subscriptions SET secret = 'v1.gone.x.y' WHERE id::text LIKE '%7'`);
    await admin.query(
      `UPDATE webhook_subscriptions SET previous_secret = 'v1.gone.x.y', previous_secret_expires_at = now() - interval '1 s'
        WHERE id::text LIKE '%1'`,
    );
    expect(await reseal.execute(() => false)).toEqual({ resealed: 405, unreadable: 45, ended: 'complete' });
    expect(await sealed.count(vault.currentMark, vault.knownMarks)).toEqual({ stale: 45, unreadable: 45 });
    const { rows } = await admin.query(
      'SELECT count(*)::int AS kept FROM webhook_subscriptions WHERE previous_secret IS NOT NULL',
    );
    expect(rows).toEqual([{ kept: 0 }]);
  }, 180_000);
});
