import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

import type { StoredSettings } from '../../domain/subscription-settings.js';

@Entity({ name: 'webhook_subscriptions' })
@Check(
  'webhook_subscriptions_previous_ck',
  'previous_secret IS NULL OR previous_secret_expires_at IS NOT NULL',
)
export class SubscriptionRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_subscriptions_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_subscriptions_pk' })
  id!: string;

  @Column({ type: 'text' })
  event!: string;

  /** What it listens to beside `event`. */
  @Column({ name: 'more_events', type: 'text', array: true, default: [] })
  moreEvents!: string[];

  @Column({ type: 'text' })
  url!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  /** Sealed; never selected into an answer. */
  @Column({ name: 'secret', type: 'text', select: false })
  sealedSecret!: string;

  /** Sealed; signs beside the current one until it expires. */
  @Column({ name: 'previous_secret', type: 'text', nullable: true, select: false })
  sealedPreviousSecret!: string | null;

  @Column({ name: 'previous_secret_expires_at', type: 'timestamptz', nullable: true })
  previousSecretExpiresAt!: Date | null;

  @Column({ name: 'secret_rotated_at', type: 'timestamptz', nullable: true })
  secretRotatedAt!: Date | null;

  /** Null: all defaults. */
  @Column({ type: 'jsonb', nullable: true })
  settings!: StoredSettings | null;

  /** JSON text: `jsonb` has neither every number nor every string of JSON. Null: every payload. */
  @Column({ type: 'text', nullable: true })
  filter!: string | null;

  @Column({ type: 'boolean', default: true })
  active!: boolean;

  @Column({ name: 'deactivated_at', type: 'timestamptz', nullable: true })
  deactivatedAt!: Date | null;

  @Column({ name: 'deactivation_reason', type: 'text', nullable: true })
  deactivationReason!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
