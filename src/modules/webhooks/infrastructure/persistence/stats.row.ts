import { Check, Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

import type { AttemptOutcome } from '../../domain/statistics.js';

const PK = 'webhook_stats_pk';

/** How many attempts of a minute or an hour ended in one way, by how long they took. */
@Entity({ name: 'webhook_stats' })
@Index('webhook_stats_age_ix', ['width', 'start'])
@Check('webhook_stats_outcome_ck', `outcome IN ('first', 'delivered', 'retried', 'failed')`)
export class StatsRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: PK })
  tenantId!: string;

  /** Minutes: 1 or 60. */
  @PrimaryColumn({ type: 'smallint', primaryKeyConstraintName: PK })
  width!: number;

  /** Nil: all of the tenant's together. */
  @PrimaryColumn({ name: 'subscription_id', type: 'uuid', primaryKeyConstraintName: PK })
  subscriptionId!: string;

  @PrimaryColumn({ type: 'timestamptz', primaryKeyConstraintName: PK })
  start!: Date;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: PK })
  outcome!: AttemptOutcome;

  /** Empty: there was no error. */
  @PrimaryColumn({ name: 'error_class', type: 'text', default: '', primaryKeyConstraintName: PK })
  errorClass!: string;

  @Column({ type: 'integer', array: true })
  durations!: number[];

  @Column({ type: 'integer', array: true })
  counts!: number[];
}

/** The attempts of one settlement and one tenant, until they are folded into the rollups. */
@Entity({ name: 'webhook_stats_new' })
export class NewStatsRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_stats_new_pk' })
  tenantId!: string;

  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'webhook_stats_new_pk' })
  id!: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at!: Date;

  @Column({ type: 'integer', default: 1 })
  attempts!: number;

  @Column({ type: 'uuid', array: true })
  subscriptions!: string[];

  @Column({ type: 'text', array: true })
  outcomes!: AttemptOutcome[];

  @Column({ type: 'text', array: true })
  classes!: string[];

  @Column({ type: 'integer', array: true })
  durations!: number[];

  /** How often each counts, once where it is null; -1 takes back what was counted for an attempt whose result came late. */
  @Column({ type: 'integer', array: true, nullable: true })
  weights!: number[] | null;
}
