import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

import type { AttemptTrigger, ErrorClass } from '../../domain/attempt.js';

@Entity({ name: 'webhook_attempts' })
@Check('webhook_attempts_trigger_ck', `trigger IN ('auto', 'manual')`)
export class AttemptRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_attempts_pk' })
  tenantId!: string;

  @PrimaryColumn({ name: 'delivery_id', type: 'uuid', primaryKeyConstraintName: 'webhook_attempts_pk' })
  deliveryId!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'webhook_attempts_pk' })
  number!: number;

  @Column({ type: 'text' })
  trigger!: AttemptTrigger;

  /** Of a circuit that was not closed. */
  @Column({ type: 'boolean', default: false })
  probe!: boolean;

  /** As what the sweep counted it, until its result comes after all. */
  @Column({ type: 'json', nullable: true, select: false })
  interrupted!: object | null;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt!: Date;

  @Column({ name: 'duration_ms', type: 'integer' })
  durationMs!: number;

  @Column({ name: 'status_code', type: 'integer', nullable: true })
  statusCode!: number | null;

  @Column({ name: 'error_class', type: 'text', nullable: true })
  errorClass!: ErrorClass | null;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'request_headers', type: 'json' })
  requestHeaders!: Record<string, string>;

  @Column({ name: 'response_body', type: 'text', nullable: true })
  responseBody!: string | null;

  @Column({ name: 'response_headers', type: 'json', nullable: true })
  responseHeaders!: Record<string, string> | null;
}
