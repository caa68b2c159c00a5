import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, IsUUID } from 'class-validator';

import { KeysetPageQuery } from '../../../../platform/http/keyset-page.js';
import { MAX_ACTOR_LENGTH } from '../../../../platform/kernel/actor.js';
import { AUDIT_ACTIONS, AUDIT_RESOURCES, type AuditAction, type AuditResource } from '../../domain/audit.js';
import { IsAtMost, IsInstant, IsNotBefore, IsPlainText, PLAIN_TEXT_PATTERN } from './constraints.js';

export class ListAuditDto extends KeysetPageQuery {
  @ApiPropertyOptional({ description: 'Only this kind of change.', enum: AUDIT_ACTIONS })
  @IsOptional()
  @IsIn(AUDIT_ACTIONS, { message: `Action must be one of ${AUDIT_ACTIONS.join(', ')}` })
  action?: AuditAction;

  @ApiPropertyOptional({ description: 'Only changes of such things.', enum: AUDIT_RESOURCES })
  @IsOptional()
  @IsIn(AUDIT_RESOURCES, { message: `Resource must be one of ${AUDIT_RESOURCES.join(', ')}` })
  resource?: AuditResource;

  @ApiPropertyOptional({ description: 'Only changes of this one thing.', format: 'uuid' })
  @IsOptional()
  @IsUUID('loose', { message: 'Resource id must be a UUID' })
  resource_id?: string;

  @ApiPropertyOptional({
    description: 'Only what this actor did.',
    maxLength: MAX_ACTOR_LENGTH,
    pattern: PLAIN_TEXT_PATTERN,
    example: 'ana@customer.com',
  })
  @IsOptional()
  @IsString({ message: 'Actor must be a string' })
  @IsPlainText('Actor')
  @IsAtMost(MAX_ACTOR_LENGTH, 'Actor')
  actor?: string;

  @ApiPropertyOptional({
    description: 'At or after this time (RFC 3339; a day alone is its midnight in UTC).',
    example: '2026-11-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Since')
  since?: string;

  @ApiPropertyOptional({
    description: 'Before this time, which is not before `since`.',
    example: '2026-12-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Until')
  @IsNotBefore('since', 'Until must not be before since')
  until?: string;
}
