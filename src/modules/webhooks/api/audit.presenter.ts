import { ApiProperty } from '@nestjs/swagger';

import {
  AUDIT_ACTIONS,
  AUDIT_ACTOR_TYPES,
  AUDIT_RESOURCES,
  type AuditAction,
  type AuditActorType,
  type AuditDetails,
  type AuditEntry,
  type AuditResource,
} from '../domain/audit.js';

/** An entry of the audit trail as clients see it. */
export class AuditEntryView {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11' })
  id!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  at!: string;

  @ApiProperty({
    enum: AUDIT_ACTOR_TYPES,
    description: '`system`: the service by itself, for instance after a 410.',
    example: 'token',
  })
  actor_type!: AuditActorType;

  @ApiProperty({ description: '`sub` of the token that asked for it.', example: 'ana@customer.com' })
  actor!: string;

  @ApiProperty({ enum: AUDIT_ACTIONS, example: 'subscription.created' })
  action!: AuditAction;

  @ApiProperty({ enum: AUDIT_RESOURCES, example: 'subscription' })
  resource_type!: AuditResource;

  @ApiProperty({ format: 'uuid', example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a12' })
  resource_id!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Facts about the change; never a secret, a payload or the query of a URL.',
    example: { event: 'invoice.created', url: 'https://hooks.customer.com/gestiqcloud' },
  })
  details!: AuditDetails;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: '`X-Request-Id` of the request; null for the system.',
    example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a13',
  })
  request_id!: string | null;
}

export function presentAuditEntry(entry: AuditEntry): AuditEntryView {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor_type: entry.actorType,
    actor: entry.actor,
    action: entry.action,
    resource_type: entry.resourceType,
    resource_id: entry.resourceId,
    details: entry.details,
    request_id: entry.requestId,
  };
}
