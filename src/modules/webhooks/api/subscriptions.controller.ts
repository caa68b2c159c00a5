import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
  UseGuards,
} from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { CurrentActor, CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { CreateSubscription } from '../application/create-subscription.js';
import { DeactivateSubscription } from '../application/deactivate-subscription.js';
import { PauseSubscription } from '../application/pause-subscription.js';
import { ReadSubscriptions } from '../application/read-subscriptions.js';
import { ResetCircuit } from '../application/reset-circuit.js';
import { RotateSecret } from '../application/rotate-secret.js';
import { UpdateSubscription } from '../application/update-subscription.js';
import { WebhookError } from '../domain/errors.js';
import { CreateSubscriptionDto } from './dto/create-subscription.dto.js';
import { givenFilter } from './dto/filter-property.js';
import { ListSubscriptionsDto } from './dto/list-subscriptions.dto.js';
import { RotateSecretDto } from './dto/rotate-secret.dto.js';
import { settingsOf } from './dto/subscription-settings.dto.js';
import { UpdateSubscriptionDto } from './dto/update-subscription.dto.js';
import {
  CreatedSubscriptionView,
  subscriptionJson,
  subscriptionsJson,
  SubscriptionView,
  withSecretJson,
} from './subscription.presenter.js';

/** Answers are texts, in which a filter stands as it was given. */
const AsJson = (): MethodDecorator => Header('content-type', 'application/json; charset=utf-8');

@ApiTags('Subscriptions')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/subscriptions')
export class SubscriptionsController {
  constructor(
    private readonly createSubscription: CreateSubscription,
    private readonly readSubscriptions: ReadSubscriptions,
    private readonly updateSubscription: UpdateSubscription,
    private readonly deactivateSubscription: DeactivateSubscription,
    private readonly pauseSubscription: PauseSubscription,
    private readonly resetCircuit: ResetCircuit,
    private readonly rotateSecret: RotateSecret,
  ) {}

  @Post()
  @AsJson()
  @RequireScopes('webhooks:write')
  @ApiOperation({ operationId: 'createSubscription', summary: 'Subscribe a URL to an event' })
  @ApiCreatedResponse({ type: CreatedSubscriptionView })
  @ApiErrors([409, 'duplicate_subscription', 'too_many_subscriptions'], 413, 415)
  async create(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Body() dto: CreateSubscriptionDto,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    const { event, events, url, secret, description } = dto;
    const more = { description, filter: givenFilter(dto, request), settings: settingsOf(dto) };
    const command = { tenantId, actor, event, events, url, secret, ...more };
    return withSecretJson(await this.createSubscription.execute(command));
  }

  @Get()
  @AsJson()
  @RequireScopes('webhooks:read')
  @ApiOperation({ operationId: 'listSubscriptions', summary: 'List subscriptions, newest first' })
  @ApiOkResponse({ type: [SubscriptionView] })
  async list(@CurrentTenant() tenantId: string, @Query() query: ListSubscriptionsDto): Promise<string> {
    const found = await this.readSubscriptions.list(tenantId, {
      event: query.event?.trim().toLowerCase(),
      active: query.active === undefined ? undefined : query.active === 'true',
    });
    return subscriptionsJson(found);
  }

  @Get(':id')
  @AsJson()
  @RequireScopes('webhooks:read')
  @ApiOperation({ operationId: 'getSubscription', summary: 'Read one subscription' })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: SubscriptionView })
  @ApiErrors([404, 'subscription_not_found'])
  async get(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<string> {
    return subscriptionJson(await this.readSubscriptions.get(tenantId, known(id)));
  }

  @Patch(':id')
  @AsJson()
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'updateSubscription',
    summary: 'Change a subscription; absent fields stay as they are, null sets an option back to its default',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiBody({ type: UpdateSubscriptionDto, required: false })
  @ApiOkResponse({ type: SubscriptionView })
  @ApiErrors(
    [404, 'subscription_not_found'],
    [409, 'duplicate_subscription', 'too_many_subscriptions'],
    413,
    415,
  )
  async update(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: UpdateSubscriptionDto,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    const { event, events, url, secret, description, active } = dto;
    const more = { description, filter: givenFilter(dto, request), settings: settingsOf(dto) };
    const command = { tenantId, actor, id: known(id), event, events, url, secret, active, ...more };
    return subscriptionJson(await this.updateSubscription.execute(command));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'deleteSubscription',
    summary: 'Deactivate a subscription; its history stays, what still waits ends as FAILED',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiNoContentResponse()
  @ApiErrors([404, 'subscription_not_found'], 413, 415)
  async delete(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<void> {
    await this.deactivateSubscription.execute({ tenantId, actor, id: known(id) });
  }

  @Post(':id/pause')
  @AsJson()
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'pauseSubscription',
    summary: 'Keep what a subscription gets back; nothing is dropped',
    description:
      'Events are stored as before and their deliveries wait as `PENDING` with `held_reason: "paused"`, also manual retries and replays. An attempt under way goes on. Pausing again changes nothing.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: SubscriptionView })
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive'], 413, 415)
  async pause(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<string> {
    const command = { tenantId, actor, id: known(id), isPaused: true };
    return subscriptionJson(await this.pauseSubscription.execute(command));
  }

  @Post(':id/resume')
  @AsJson()
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'resumeSubscription',
    summary: 'Let what a paused subscription gets go again, oldest first',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: SubscriptionView })
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive'], 413, 415)
  async resume(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<string> {
    const command = { tenantId, actor, id: known(id), isPaused: false };
    return subscriptionJson(await this.pauseSubscription.execute(command));
  }

  @Post(':id/reset-circuit')
  @AsJson()
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'resetCircuit',
    summary: 'Send to an endpoint again that is well again, without waiting for a probe',
    description:
      'The circuit closes and all failures are forgotten; what waited is sent, one request at first and more as they arrive. If the endpoint still fails it opens again.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: SubscriptionView })
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive'], 413, 415)
  async reset(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<string> {
    return subscriptionJson(await this.resetCircuit.execute({ tenantId, actor, id: known(id) }));
  }

  @Post(':id/rotate-secret')
  @AsJson()
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'rotateSecret',
    summary: 'Give a subscription a new signing secret, with an overlap',
    description:
      'During the overlap `webhook-signature` carries two signatures, of the new and of the previous secret, `X-Signature` is that of the new one and `X-Signature-Previous` that of the previous one. ' +
      'A subscription with a key pair (`v1a`) gets a new pair as well, and the previous one signs as long. ' +
      'A rotation during an overlap ends it: one previous secret is kept. `PATCH` with a secret replaces it at once.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiBody({ type: RotateSecretDto, required: false })
  @ApiOkResponse({ type: CreatedSubscriptionView })
  @ApiErrors([404, 'subscription_not_found'], 413, 415)
  async rotate(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: RotateSecretDto,
  ): Promise<string> {
    const { secret, overlap_seconds: seconds } = dto;
    const overlapHours = seconds == null ? dto.overlap_hours : seconds / 3_600;
    return withSecretJson(
      await this.rotateSecret.execute({ tenantId, actor, id: known(id), secret, overlapHours }),
    );
  }
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('subscription_not_found');
  return id;
}
