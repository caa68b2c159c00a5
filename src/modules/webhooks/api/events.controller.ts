import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentActor, CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { givenInstant } from '../../../platform/http/instant.js';
import { ApiKeysetPage, linkNextPage, positionOf } from '../../../platform/http/keyset-page.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { ReadEvents } from '../application/read-events.js';
import { ReplayEvent } from '../application/replay-event.js';
import { WebhookError } from '../domain/errors.js';
import { ListEventsDto } from './dto/list-events.dto.js';
import { ReplayEventDto } from './dto/replay-event.dto.js';
import { EventDetailView, eventDetailJson, EventView, presentEvent } from './event.presenter.js';
import { presentRequested, RequestedDeliveryView } from './queued.presenter.js';

@ApiTags('Events')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/events')
export class EventsController {
  constructor(
    private readonly readEvents: ReadEvents,
    private readonly replayEvent: ReplayEvent,
  ) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'listEvents',
    summary: 'List emitted events, newest first, those of modules that nobody was subscribed to included',
    description:
      '`POST /deliveries` with no subscriber answers 404 and stores none. When there are more, the `Link` header carries the URL of the next page (`rel="next"`).',
  })
  @ApiKeysetPage(EventView)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: ListEventsDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventView[]> {
    const { limit, afterId } = positionOf(query);
    const filter = {
      event: query.event?.trim().toLowerCase(),
      since: givenInstant(query.since),
      until: givenInstant(query.until),
      matched: query.matched === undefined ? undefined : query.matched === 'true',
    };
    const page = await this.readEvents.list(tenantId, filter, limit, afterId);
    linkNextPage(request, reply, page.hasMore ? (page.events.at(-1)?.id ?? null) : null);
    return page.events.map(presentEvent);
  }

  @Get(':id')
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'getEvent',
    summary: 'Read one event with its payload and where it went',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: EventDetailView })
  @ApiErrors([404, 'event_not_found'])
  async get(
    @CurrentTenant() tenantId: string,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const detail = await this.readEvents.get(tenantId, known(id));
    void reply.type('application/json; charset=utf-8');
    return eventDetailJson(detail);
  }

  @Post(':id/replay')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'replayEvent',
    summary: 'Send an event again to everyone who matches it now, or to one subscription',
    description:
      'Who has got it before gets the same delivery again, with the same `webhook-id`; the others get a new one. All are manual attempts. Filters are asked as they are now, but for a named subscription.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiBody({ type: ReplayEventDto, required: false })
  @ApiAcceptedResponse({ type: RequestedDeliveryView })
  @ApiErrors(
    [404, 'event_not_found', 'subscription_not_found', 'no_active_subscriptions_for_event'],
    [409, 'subscription_inactive', 'payload_expired'],
    413,
    415,
  )
  async replay(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: ReplayEventDto,
  ): Promise<RequestedDeliveryView> {
    const eventId = known(id);
    const command = { tenantId, actor, eventId, subscriptionId: dto.subscription_id };
    return presentRequested({ eventId, deliveryIds: await this.replayEvent.execute(command) });
  }
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('event_not_found');
  return id;
}
