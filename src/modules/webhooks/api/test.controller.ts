import { Body, Controller, HttpCode, Param, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentActor, CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { TestSubscription } from '../application/test-subscription.js';
import { WebhookError } from '../domain/errors.js';
import { deliveryDetailJson, DeliveryDetailView } from './delivery.presenter.js';
import { TestSubscriptionDto } from './dto/test-subscription.dto.js';

@ApiTags('Subscriptions')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 500, 503)
@Controller('api/v1/tenant/webhooks/subscriptions')
export class TestController {
  constructor(private readonly testSubscription: TestSubscription) {}

  @Post(':id/test')
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'testSubscription',
    summary: 'Send an example to a subscription now, and see what its endpoint answers',
    description:
      'A delivery like any other: the same signature, template, headers and rules of targets, recorded with its attempt. ' +
      'The answer comes after it. It is made once, also while the subscription is paused or its circuit open, past its filter and rate; ' +
      'whatever becomes of it counts for nothing, but after a success the endpoint is probed at once. Ten in a minute.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiBody({ type: TestSubscriptionDto, required: false })
  @ApiOkResponse({ type: DeliveryDetailView })
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive'], 413, 415, [
    429,
    'rate_limited',
    'too_many_tests',
  ])
  async test(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: TestSubscriptionDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    if (!isUuid(id)) throw new WebhookError('subscription_not_found');
    const detail = await this.testSubscription.execute({ tenantId, actor, id, event: dto.event });
    void reply.type('application/json; charset=utf-8');
    return deliveryDetailJson(detail);
  }
}
