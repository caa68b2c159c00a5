import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A process that delivers: the leases that it holds are good until `aliveUntil`. */
@Entity({ name: 'webhook_workers' })
export class WorkerRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_workers_pk' })
  id!: string;

  @Column({ name: 'alive_until', type: 'timestamptz' })
  aliveUntil!: Date;
}
