import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { givenInstant } from '../../../platform/http/instant.js';
import { ReadStatistics } from '../application/read-statistics.js';
import { StatisticsDto } from './dto/statistics.dto.js';
import { presentStatistics, StatisticsAnswerView } from './statistics.presenter.js';

@ApiTags('Statistics')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/stats')
export class StatisticsController {
  constructor(private readonly readStatistics: ReadStatistics) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'getStatistics',
    summary: 'See what became of attempts over time, and how long they took',
    description:
      'Every attempt that has ended counts, once, as what it was first known to be, in the bucket in which it was recorded. Deliveries that end without an attempt (cancelled, deactivated) do not.',
  })
  @ApiOkResponse({ type: StatisticsAnswerView })
  @ApiErrors([404, 'subscription_not_found'])
  async read(
    @CurrentTenant() tenantId: string,
    @Query() query: StatisticsDto,
  ): Promise<StatisticsAnswerView> {
    const answer = await this.readStatistics.execute(tenantId, {
      from: givenInstant(query.from),
      to: givenInstant(query.to),
      bucket: query.bucket,
      subscriptionId: query.subscription_id,
    });
    return presentStatistics(answer);
  }
}
