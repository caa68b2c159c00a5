import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity({ name: 'webhook_events' })
@Index('webhook_events_idempotency_uq', ['idempotencyKey', 'tenantId'], {
  unique: true,
  where: 'idempotency_key IS NOT NULL',
})
@Index('webhook_events_name_ix', ['event', 'tenantId', 'id'])
@Index('webhook_events_age_ix', ['hasPayload', 'createdAt'])
@Index('webhook_events_test_ix', ['tenantId', 'id'], { where: 'is_test' })
@Check('webhook_events_payload_ck', 'has_payload = (payload IS NOT NULL)')
export class EventRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_events_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_events_pk' })
  id!: string;

  @Column({ type: 'text' })
  event!: string;

  /** `json`, not `jsonb`, which would reorder keys. Read as `payload::text` only: the driver would parse it. */
  @Column({ type: 'json', select: false, nullable: true })
  payload!: unknown;

  /** False once retention has removed the payload; an index needs a column that is no JSON. */
  @Column({ name: 'has_payload', type: 'boolean', default: true })
  hasPayload!: boolean;

  @Column({ name: 'idempotency_key', type: 'text', nullable: true })
  idempotencyKey!: string | null;

  @Column({ type: 'text', nullable: true })
  fingerprint!: string | null;

  /** Subscriptions that listened to it and whose filter kept it back; null: none did. */
  @Column({ name: 'filtered_by', type: 'uuid', array: true, nullable: true })
  filteredBy!: string[] | null;

  /** Made to test an endpoint; null, as for most: it was not. */
  @Column({ name: 'is_test', type: 'boolean', nullable: true })
  isTest!: boolean | null;

  /** Within which order is kept; null: it was emitted without one. */
  @Column({ name: 'ordering_key', type: 'text', nullable: true })
  orderingKey!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
