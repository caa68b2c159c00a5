import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { JwtKeys, NewJwtKey } from '../../src/modules/webhooks/application/ports/jwt-keys.js';
import { TypeormJwtKeys } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-jwt-keys.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { FakeClock } from '../../src/modules/webhooks/testing/fake-clock.js';
import { InMemoryJwtKeys } from '../../src/modules/webhooks/testing/in-memory-jwt-keys.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

const NOTHING = { added: [], removed: [], resealed: [] };
const keyOf = (kid: string): NewJwtKey => ({
  ...{ kid, alg: 'EdDSA', publicKey: { kty: 'OKP', crv: 'Ed25519', x: kid }, sealedKey: `sealed ${kid}` },
});

/** What JwtKeys promises to those who sign and publish. */
function jwtKeysContract(current: () => JwtKeys): void {
  it('keeps keys with their age, changes their sealed halves, and lets them go', async () => {
    const keys = current();
    const made = await keys.change(() => ({ ...NOTHING, added: [keyOf('a'), keyOf('b')] }));
    expect(made.map(({ ageMs: _age, ...key }) => key)).toEqual([keyOf('a'), keyOf('b')]);
    expect(await keys.list()).toHaveLength(2);
    for (const { ageMs } of await keys.list()) expect(ageMs).toBeGreaterThanOrEqual(0);
    const left = await keys.change((stored) => {
      expect(stored.map(({ kid }) => kid).sort()).toEqual(['a', 'b']);
      return { ...NOTHING, removed: ['a'], resealed: [{ kid: 'b', sealedKey: 'sealed anew' }] };
    });
    expect(left).toMatchObject([{ ...keyOf('b'), sealedKey: 'sealed anew' }]);
    await keys.change(() => ({ ...NOTHING, removed: ['b'] }));
  });

  // Red without the lock: each of them finds nothing, and makes a key.
  it('lets one at a time decide, on what the one before it did', async () => {
    const keys = current();
    let made = 0;
    await Promise.all(
      Array.from({ length: 5 }, async () =>
        keys.change((stored) => ({
          ...NOTHING,
          added: stored.length > 0 ? [] : [keyOf(`parallel ${(made += 1)}`)],
        })),
      ),
    );
    expect(await keys.list()).toHaveLength(1);
  });
}

describe('in memory', () => {
  const keys = new InMemoryJwtKeys(new FakeClock());
  jwtKeysContract(() => keys);
});

describeWithPostgres('TypeORM on PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 6)).initialize();
  }, 180_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  jwtKeysContract(() => new TypeormJwtKeys(new WorkerTransaction(dataSource)));
});
