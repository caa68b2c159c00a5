import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { AttemptTrigger, ErrorClass } from '../../domain/attempt.js';
import type { DeliveryStatus, HoldReason } from '../../domain/delivery.js';

@Entity({ name: 'webhook_deliveries' })
@Index('webhook_deliveries_open_ix', ['tenantId', 'id'], { where: `status || '' IN ('PENDING', 'SENDING')` })
@Index('webhook_deliveries_failed_ix', ['tenantId', 'id'], { where: `status = 'FAILED'` })
@Index('webhook_deliveries_failed_name_ix', ['event', 'tenantId', 'id'], { where: `status = 'FAILED'` })
@Index('webhook_deliveries_failed_lane_ix', ['subscriptionId', 'tenantId', 'id'], {
  where: `status = 'FAILED'`,
})
@Index('webhook_deliveries_finished_ix', ['subscriptionId', 'event', 'tenantId', 'id'], {
  where: `status IN ('DELIVERED', 'FAILED')`,
})
@Index('webhook_deliveries_class_ix', ['lastErrorClass', 'tenantId', 'id'], {
  where: 'last_error_class IS NOT NULL',
})
@Index('webhook_deliveries_class_name_ix', ['event', 'lastErrorClass', 'tenantId', 'id'], {
  where: 'last_error_class IS NOT NULL',
})
@Index('webhook_deliveries_class_lane_ix', ['subscriptionId', 'lastErrorClass', 'tenantId', 'id'], {
  where: 'last_error_class IS NOT NULL',
})
@Index('webhook_deliveries_answered_ix', ['tenantId', 'id'], {
  where: `status = 'FAILED' AND last_error_class IS NULL AND last_status_code IS NOT NULL`,
})
@Index('webhook_deliveries_name_ix', ['event', 'tenantId', 'id'])
@Index('webhook_deliveries_subscription_ix', ['tenantId', 'subscriptionId', 'id'])
@Index('webhook_deliveries_event_uq', ['eventId', 'subscriptionId', 'tenantId'], { unique: true })
@Index('webhook_deliveries_due_ix', ['subscriptionId', 'isRetry', 'nextAttemptAt', 'id'], {
  where: `status = 'PENDING'`,
})
@Index('webhook_deliveries_order_ix', ['subscriptionId', 'orderingKey', 'position', 'id'], {
  where: `status = 'PENDING' AND position IS NOT NULL`,
})
@Index('webhook_deliveries_leased_ix', ['subscriptionId', 'leasedUntil'], { where: `status = 'SENDING'` })
@Index('webhook_deliveries_held_ix', ['heldSince'], {
  where: `status = 'PENDING' AND held_since IS NOT NULL`,
})
@Index('webhook_deliveries_released_ix', ['taskId'], {
  where: `task_id IS NOT NULL AND status IN ('PENDING', 'SENDING')`,
})
@Check('webhook_deliveries_status_ck', `status IN ('PENDING', 'SENDING', 'DELIVERED', 'FAILED')`)
@Check('webhook_deliveries_trigger_ck', `next_trigger IN ('auto', 'manual')`)
export class DeliveryRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_deliveries_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_deliveries_pk' })
  id!: string;

  @Column({ name: 'event_id', type: 'uuid' })
  eventId!: string;

  @Column({ name: 'subscription_id', type: 'uuid' })
  subscriptionId!: string;

  @Column({ type: 'text' })
  event!: string;

  @Column({ type: 'text', default: 'PENDING' })
  status!: DeliveryStatus;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ name: 'auto_attempts', type: 'integer', default: 0 })
  autoAttempts!: number;

  @Column({ name: 'next_trigger', type: 'text', default: 'auto' })
  nextTrigger!: AttemptTrigger;

  /** The attempt that waits, or is under way, is an automatic one after a failed one. */
  @Column({ name: 'is_retry', type: 'boolean', default: false })
  isRetry!: boolean;

  @Column({ name: 'next_attempt_at', type: 'timestamptz', nullable: true, default: () => 'now()' })
  nextAttemptAt!: Date | null;

  /** In force while `heldUntil` is the due time. */
  @Column({ name: 'held_reason', type: 'text', nullable: true })
  heldReason!: HoldReason | null;

  @Column({ name: 'held_until', type: 'timestamptz', nullable: true })
  heldUntil!: Date | null;

  /** Since when the service itself could not send it, while it is held for that. */
  @Column({ name: 'held_since', type: 'timestamptz', nullable: true })
  heldSince!: Date | null;

  @Column({ name: 'lease_token', type: 'uuid', nullable: true })
  leaseToken!: string | null;

  /** The process whose life the lease depends on. */
  @Column({ name: 'leased_by', type: 'uuid', nullable: true })
  leasedBy!: string | null;

  @Column({ name: 'leased_until', type: 'timestamptz', nullable: true })
  leasedUntil!: Date | null;

  /** Its place in the order of its endpoint; below 0: sent again, before what waits. Null: it wants no order. A bigint. */
  @Column({ type: 'bigint', nullable: true })
  position!: string | null;

  /** The key of its event, '' where that has none; null without an order. */
  @Column({ name: 'ordering_key', type: 'text', nullable: true, collation: 'C' })
  orderingKey!: string | null;

  /** The first of those that it went with in one request, and goes with again; null: it goes alone. */
  @Column({ name: 'batch_id', type: 'uuid', nullable: true })
  batchId!: string | null;

  /** The task that made it due. */
  @Column({ name: 'task_id', type: 'uuid', nullable: true })
  taskId!: string | null;

  /** Attempts that ended with their process. */
  @Column({ type: 'smallint', default: 0 })
  interruptions!: number;

  @Column({ name: 'target_url', type: 'text' })
  targetUrl!: string;

  @Column({ name: 'last_error', type: 'text', nullable: true })
  lastError!: string | null;

  /** Of the last attempt that ended; all three null before the first. */
  @Column({ name: 'last_status_code', type: 'integer', nullable: true })
  lastStatusCode!: number | null;

  @Column({ name: 'last_duration_ms', type: 'integer', nullable: true })
  lastDurationMs!: number | null;

  @Column({ name: 'last_error_class', type: 'text', nullable: true })
  lastErrorClass!: ErrorClass | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
