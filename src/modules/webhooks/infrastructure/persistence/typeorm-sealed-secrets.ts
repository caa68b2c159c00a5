import { Injectable } from '@nestjs/common';

import {
  SealedSecrets,
  type ResealedBatch,
  type ResealedSecret,
  type SealedPosition,
  type StaleSecret,
  type StoredSecret,
  type SubscriptionSecretPurpose,
} from '../../application/ports/sealed-secrets.js';
import { WorkerTransaction } from './worker-transaction.js';

/** Any constant will do; lanes lock on hashes of their ids. */
const LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks: re-encryption of secrets', 0)) AS locked`;

interface Place {
  readonly purpose: SubscriptionSecretPurpose;
  readonly read: string;
  readonly write: string;
}

function inSettings(purpose: SubscriptionSecretPurpose, field: string): Place {
  return {
    purpose,
    read: `settings ->> '${field}'`,
    write: `settings = jsonb_set(s.settings, '{${field}}', to_jsonb(r.resealed))`,
  };
}

/** Where sealed records are: how each is read from a row, and put back. */
const PLACES: readonly Place[] = [
  { purpose: 'signing', read: 'secret', write: 'secret = r.resealed' },
  { purpose: 'signing_previous', read: 'previous_secret', write: 'previous_secret = r.resealed' },
  inSettings('headers', 'sealed_headers'),
  inSettings('signing_key', 'sealed_key'),
  inSettings('signing_key_previous', 'sealed_previous_key'),
];

const STALE = `
SELECT tenant_id, id,
       ${PLACES.map(({ purpose, read }) => `CASE WHEN NOT starts_with(${read}, $1) THEN ${read} END AS ${purpose}`).join(',\n       ')}
  FROM webhook_subscriptions
 WHERE ($2::text IS NULL OR (tenant_id, id) > ($2::text, $3::uuid))
   AND (${PLACES.map(({ read }) => `NOT starts_with(${read}, $1)`).join(' OR ')})
 ORDER BY tenant_id, id
 LIMIT $4::int`;

/* Compare and swap: a record that a tenant replaced after it was read is newer than what would be written here. */
function replaceBy({ read, write }: Place): string {
  return `
WITH replaced AS (
  UPDATE webhook_subscriptions s
     SET ${write}
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) AS r (tenant_id, id, sealed, resealed)
   WHERE s.tenant_id = r.tenant_id AND s.id = r.id AND s.${read} = r.sealed
  RETURNING 1
)
SELECT count(*)::int AS count FROM replaced`;
}

const COUNT = `
WITH record (sealed) AS (
  ${PLACES.map(
    ({ purpose, read }) =>
      `SELECT ${read} FROM webhook_subscriptions${purpose === 'signing_previous' ? ' WHERE previous_secret_expires_at > now()' : ''}`,
  ).join('\n  UNION ALL\n  ')}
  UNION ALL
  SELECT sealed_key FROM webhook_jwt_keys
)
SELECT count(*) FILTER (WHERE NOT starts_with(sealed, $1))::int AS stale,
       count(sealed) FILTER (WHERE NOT EXISTS (SELECT FROM unnest($2::text[]) AS mark WHERE starts_with(sealed, mark)))::int
         AS unreadable
  FROM record`;

const SAMPLE = `
SELECT of_mark.* FROM unnest($1::text[]) AS mark CROSS JOIN LATERAL (
  SELECT tenant_id, id, secret FROM webhook_subscriptions WHERE starts_with(secret, mark) LIMIT $2::int
) AS of_mark`;

const FORGET_EXPIRED = `
WITH expired AS (
  UPDATE webhook_subscriptions
     SET previous_secret = NULL, previous_secret_expires_at = NULL, settings = settings - 'sealed_previous_key'
   WHERE previous_secret_expires_at <= now()
  RETURNING 1
)
SELECT count(*)::int AS count FROM expired`;

type StaleRow = { readonly tenant_id: string; readonly id: string } & Readonly<
  Record<SubscriptionSecretPurpose, string | null>
>;

/** Over all tenants, in the worker's role. */
@Injectable()
export class TypeormSealedSecrets extends SealedSecrets {
  constructor(private readonly transactions: WorkerTransaction) {
    super();
  }

  override async resealBatch(
    currentMark: string,
    after: SealedPosition | null,
    limit: number,
    reseal: (stale: readonly StaleSecret[]) => readonly ResealedSecret[],
  ): Promise<ResealedBatch | null> {
    return this.transactions.run(async (manager) => {
      const [lock] = await manager.query<{ locked: boolean }[]>(LOCK);
      if (lock?.locked !== true) return null;
      const rows = await manager.query<StaleRow[]>(STALE, [
        currentMark,
        after?.tenantId ?? null,
        after?.subscriptionId ?? null,
        limit,
      ]);
      const resealed = reseal(rows.flatMap(staleOf));
      let replaced = 0;
      for (const place of PLACES) {
        const records = resealed.filter(({ purpose }) => purpose === place.purpose);
        if (records.length === 0) continue;
        const [done] = await manager.query<{ count: number }[]>(replaceBy(place), [
          records.map((record) => record.tenantId),
          records.map((record) => record.subscriptionId),
          records.map((record) => record.sealed),
          records.map((record) => record.resealed),
        ]);
        replaced += done?.count ?? 0;
      }
      const last = rows.at(-1);
      return {
        replaced,
        last: last === undefined ? null : { tenantId: last.tenant_id, subscriptionId: last.id },
      };
    });
  }

  override async count(
    currentMark: string,
    knownMarks: readonly string[],
  ): Promise<{ stale: number; unreadable: number }> {
    const rows = await this.transactions.run((manager) =>
      manager.query<{ stale: number; unreadable: number }[]>(COUNT, [currentMark, knownMarks]),
    );
    return { stale: rows[0]?.stale ?? 0, unreadable: rows[0]?.unreadable ?? 0 };
  }

  override async sample(marks: readonly string[], limit: number): Promise<readonly StoredSecret[]> {
    const rows = await this.transactions.run((manager) =>
      manager.query<{ tenant_id: string; id: string; secret: string }[]>(SAMPLE, [marks, limit]),
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      subscriptionId: row.id,
      purpose: 'signing',
      sealed: row.secret,
    }));
  }

  override async forgetExpired(): Promise<number> {
    const rows = await this.transactions.run((manager) => manager.query<{ count: number }[]>(FORGET_EXPIRED));
    return rows[0]?.count ?? 0;
  }
}

function staleOf(row: StaleRow): StaleSecret[] {
  return PLACES.flatMap(({ purpose }) => {
    const sealed = row[purpose];
    return sealed === null ? [] : [{ tenantId: row.tenant_id, subscriptionId: row.id, purpose, sealed }];
  });
}
