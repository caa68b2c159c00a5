import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { NoticeKind } from '../../domain/operational-event.js';

/** Something to be told of an endpoint. Written by database functions, for those who listen. */
@Entity({ name: 'webhook_notices' })
@Index('webhook_notices_exhausted_uq', ['subscriptionId', 'tenantId'], {
  unique: true,
  where: `kind = 'exhausted'`,
})
@Index('webhook_notices_due_ix', ['dueAt'])
@Check('webhook_notices_kind_ck', `kind IN ('failing', 'recovered', 'disabled', 'exhausted')`)
export class NoticeRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_notices_pk' })
  tenantId!: string;

  @PrimaryColumn({
    type: 'uuid',
    primaryKeyConstraintName: 'webhook_notices_pk',
    default: () => 'webhook_uuid_v7()',
  })
  id!: string;

  @Column({ type: 'text' })
  kind!: NoticeKind;

  /** The endpoint that it is about. */
  @Column({ name: 'subscription_id', type: 'uuid' })
  subscriptionId!: string;

  @Column({ type: 'json' })
  details!: unknown;

  @Column({ type: 'integer', default: 1 })
  count!: number;

  @Column({ name: 'due_at', type: 'timestamptz', default: () => 'now()' })
  dueAt!: Date;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
