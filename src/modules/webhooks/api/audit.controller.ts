import { Controller, Get, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { givenInstant } from '../../../platform/http/instant.js';
import { ApiKeysetPage, linkNextPage, positionOf } from '../../../platform/http/keyset-page.js';
import { ReadAudit } from '../application/read-audit.js';
import { AuditEntryView, presentAuditEntry } from './audit.presenter.js';
import { ListAuditDto } from './dto/list-audit.dto.js';

@ApiTags('Audit')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/audit')
export class AuditController {
  constructor(private readonly readAudit: ReadAudit) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'listAudit',
    summary: 'List who changed what, newest first',
    description:
      'One entry for each change that was made; refused requests leave none. Entries cannot be changed or removed. ' +
      'When there are more, the `Link` header carries the URL of the next page (`rel="next"`).',
  })
  @ApiKeysetPage(AuditEntryView)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: ListAuditDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AuditEntryView[]> {
    const { limit, afterId } = positionOf(query);
    const filter = {
      action: query.action,
      resourceType: query.resource,
      resourceId: query.resource_id,
      actor: query.actor,
      since: givenInstant(query.since),
      until: givenInstant(query.until),
    };
    const page = await this.readAudit.list(tenantId, filter, limit, afterId);
    linkNextPage(request, reply, page.hasMore ? (page.entries.at(-1)?.id ?? null) : null);
    return page.entries.map(presentAuditEntry);
  }
}
