import type { JsonWebKey } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { JwtKeys, type JwtKeyChanges, type StoredJwtKey } from '../../application/ports/jwt-keys.js';
import type { PublishedAlgorithm } from '../../domain/jwt-key-ring.js';
import { WorkerTransaction } from './worker-transaction.js';

/** Held until the transaction ends: who comes second sees what the first one made. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('webhooks: keys of JWTs', 0))`;

const LIST = `
SELECT kid, alg, public_key, sealed_key,
       (extract(epoch FROM statement_timestamp() - published_at) * 1000)::float8 AS age_ms
  FROM webhook_jwt_keys`;

interface ListedRow {
  readonly kid: string;
  readonly alg: PublishedAlgorithm;
  readonly public_key: JsonWebKey;
  readonly sealed_key: string;
  readonly age_ms: number;
}

/** In the worker's role: no tenant may read them. */
@Injectable()
export class TypeormJwtKeys extends JwtKeys {
  constructor(private readonly transactions: WorkerTransaction) {
    super();
  }

  override async list(): Promise<readonly StoredJwtKey[]> {
    return this.transactions.run(listed);
  }

  override async change(
    plan: (keys: readonly StoredJwtKey[]) => JwtKeyChanges,
  ): Promise<readonly StoredJwtKey[]> {
    return this.transactions.run(async (manager) => {
      await manager.query(LOCK);
      const { added, removed, resealed } = plan(await listed(manager));
      for (const { kid, alg, publicKey, sealedKey } of added) {
        await manager.query(
          `INSERT INTO webhook_jwt_keys (kid, alg, public_key, sealed_key, published_at)
           VALUES ($1, $2, $3, $4, statement_timestamp())`,
          [kid, alg, publicKey, sealedKey],
        );
      }
      for (const { kid, sealedKey } of resealed) {
        await manager.query('UPDATE webhook_jwt_keys SET sealed_key = $2 WHERE kid = $1', [kid, sealedKey]);
      }
      if (removed.length > 0) {
        await manager.query('DELETE FROM webhook_jwt_keys WHERE kid = ANY ($1::text[])', [removed]);
      }
      return listed(manager);
    });
  }
}

async function listed(manager: EntityManager): Promise<StoredJwtKey[]> {
  const rows = await manager.query<ListedRow[]>(LIST);
  return rows.map(({ kid, alg, public_key: publicKey, sealed_key: sealedKey, age_ms: ageMs }) => ({
    ...{ kid, alg, publicKey, sealedKey, ageMs },
  }));
}
