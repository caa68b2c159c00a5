import type { JsonWebKey } from 'node:crypto';

import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

import type { PublishedAlgorithm } from '../../domain/jwt-key-ring.js';

/** A key of the service that signs JWTs; it belongs to no tenant. */
@Entity({ name: 'webhook_jwt_keys' })
@Check('webhook_jwt_keys_alg_ck', `alg IN ('EdDSA', 'ES256')`)
export class JwtKeyRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'webhook_jwt_keys_pk' })
  kid!: string;

  @Column({ type: 'text' })
  alg!: PublishedAlgorithm;

  @Column({ name: 'public_key', type: 'jsonb' })
  publicKey!: JsonWebKey;

  /** Sealed. */
  @Column({ name: 'sealed_key', type: 'text' })
  sealedKey!: string;

  @Column({ name: 'published_at', type: 'timestamptz', default: () => 'now()' })
  publishedAt!: Date;
}
