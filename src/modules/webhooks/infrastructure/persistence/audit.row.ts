import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { AuditAction, AuditActorType, AuditDetails, AuditResource } from '../../domain/audit.js';

@Entity({ name: 'webhook_audit' })
@Index('webhook_audit_resource_ix', ['tenantId', 'resourceId', 'id'])
@Check('webhook_audit_actor_ck', `actor_type IN ('token', 'system')`)
export class AuditRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_audit_pk' })
  tenantId!: string;

  @PrimaryColumn({
    type: 'uuid',
    primaryKeyConstraintName: 'webhook_audit_pk',
    default: () => 'webhook_uuid_v7()',
  })
  id!: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at!: Date;

  @Column({ name: 'actor_type', type: 'text' })
  actorType!: AuditActorType;

  @Column({ type: 'text' })
  actor!: string;

  @Column({ type: 'text' })
  action!: AuditAction;

  @Column({ name: 'resource_type', type: 'text' })
  resourceType!: AuditResource;

  @Column({ name: 'resource_id', type: 'uuid' })
  resourceId!: string;

  @Column({ type: 'json' })
  details!: AuditDetails;

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId!: string | null;
}
