import { Entity, Index, Column, PrimaryColumn } from 'typeorm';

/** One pattern that an active subscription listens to; kept up by a trigger, never written from here. */
@Entity({ name: 'webhook_subscription_events' })
@Index('webhook_subscription_events_subscription_ix', ['subscriptionId'])
export class SubscriptionEventRow {
  @PrimaryColumn({
    name: 'tenant_id',
    type: 'text',
    primaryKeyConstraintName: 'webhook_subscription_events_pk',
  })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'webhook_subscription_events_pk' })
  event!: string;

  /** What the same targets have in common: `webhook_target_key`. */
  @PrimaryColumn({
    name: 'target_key',
    type: 'text',
    primaryKeyConstraintName: 'webhook_subscription_events_pk',
  })
  targetKey!: string;

  @Column({ name: 'subscription_id', type: 'uuid' })
  subscriptionId!: string;
}
