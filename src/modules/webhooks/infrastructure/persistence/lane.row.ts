import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a lane may do now; made with its subscription, by a trigger. Locked by whoever opens the lane. */
@Entity({ name: 'webhook_lanes' })
@Index('webhook_lanes_kept_ix', ['tenantId', 'subscriptionId'], {
  where: `paused_at IS NOT NULL OR circuit_state <> 'closed' OR held_until IS NOT NULL`,
})
@Check('webhook_lanes_circuit_ck', `circuit_state IN ('closed', 'open', 'half_open')`)
export class LaneRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_lanes_pk' })
  tenantId!: string;

  @PrimaryColumn({ name: 'subscription_id', type: 'uuid', primaryKeyConstraintName: 'webhook_lanes_pk' })
  subscriptionId!: string;

  /** Null: not paused. */
  @Column({ name: 'paused_at', type: 'timestamptz', nullable: true })
  pausedAt!: Date | null;

  /** The first slot of its rate that no delivery has yet. */
  @Column({ name: 'rate_next_at', type: 'timestamptz', nullable: true })
  rateNextAt!: Date | null;

  /** The endpoint asked for nothing before; forgotten with the first settlement after it. */
  @Column({ name: 'held_until', type: 'timestamptz', nullable: true })
  heldUntil!: Date | null;

  @Column({ name: 'circuit_state', type: 'text', default: 'closed' })
  circuitState!: 'closed' | 'open' | 'half_open';

  /* The circuit is explained in domain/gates/circuit.ts. */

  @Column({ name: 'circuit_cause', type: 'text', nullable: true })
  circuitCause!: string | null;

  @Column({ name: 'circuit_opened_at', type: 'timestamptz', nullable: true })
  circuitOpenedAt!: Date | null;

  @Column({ name: 'next_probe_at', type: 'timestamptz', nullable: true })
  nextProbeAt!: Date | null;

  @Column({ name: 'probe_wait_ms', type: 'integer', nullable: true })
  probeWaitMs!: number | null;

  @Column({ name: 'probe_id', type: 'uuid', nullable: true })
  probeId!: string | null;

  @Column({ name: 'next_probe_id', type: 'uuid', nullable: true })
  nextProbeId!: string | null;

  @Column({ type: 'integer', default: 0 })
  failures!: number;

  @Column({ name: 'failing_since', type: 'timestamptz', nullable: true })
  failingSince!: Date | null;

  @Column({ type: 'integer', nullable: true })
  ramp!: number | null;

  @Column({ name: 'recent_bucket', type: 'integer', nullable: true })
  recentBucket!: number | null;

  @Column({ name: 'recent_attempts', type: 'integer', array: true, nullable: true })
  recentAttempts!: number[] | null;

  @Column({ name: 'recent_failed', type: 'integer', array: true, nullable: true })
  recentFailed!: number[] | null;

  @Column({ name: 'counted_from', type: 'timestamptz', nullable: true })
  countedFrom!: Date | null;

  /** The key at which the next opening goes on, where there are more than one looks at. */
  @Column({ name: 'order_from', type: 'text', nullable: true, collation: 'C' })
  orderFrom!: string | null;

  /** Grows with each change after which results of before say nothing any more. */
  @Column({ type: 'integer', default: 0 })
  epoch!: number;
}
