import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity({ name: 'webhook_events' })
@Index('webhook_events_idempotency_uq', ['tenantId', 'idempotencyKey'], {
  unique: true,
  where: 'idempotency_key IS NOT NULL',
})
export class EventRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_events_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_events_pk' })
  id!: string;

  @Column({ type: 'text' })
  event!: string;

  /** `json`, not `jsonb`, which would reorder keys. Read as `payload::text` only: the driver would parse it. */
  @Column({ type: 'json', select: false })
  payload!: unknown;

  @Column({ name: 'idempotency_key', type: 'text', nullable: true })
  idempotencyKey!: string | null;

  @Column({ type: 'text', nullable: true })
  fingerprint!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
