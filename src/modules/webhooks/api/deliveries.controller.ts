import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
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
import { ApiKeysetPage, linkNextPage, positionOf } from '../../../platform/http/keyset-page.js';
import { givenInstant } from '../../../platform/http/instant.js';
import { extractProperty } from '../../../platform/http/raw-json.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { CancelDelivery } from '../application/cancel-delivery.js';
import { ReadDeliveries } from '../application/read-deliveries.js';
import { RequestDelivery } from '../application/request-delivery.js';
import { RetryDelivery } from '../application/retry-delivery.js';
import { WebhookError } from '../domain/errors.js';
import {
  deliveryDetailJson,
  DeliveryDetailView,
  DeliveryView,
  presentDelivery,
} from './delivery.presenter.js';
import { ListDeliveriesDto } from './dto/list-deliveries.dto.js';
import { RequestDeliveryDto } from './dto/request-delivery.dto.js';
import { RetryDeliveryDto } from './dto/retry-delivery.dto.js';
import { ApiIdempotencyKey, checkIdempotencyKey } from './idempotency-key.js';
import { presentRequested, RequestedDeliveryView, RetryView } from './queued.presenter.js';

@ApiTags('Deliveries')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/deliveries')
export class DeliveriesController {
  constructor(
    private readonly requestDelivery: RequestDelivery,
    private readonly readDeliveries: ReadDeliveries,
    private readonly retryDelivery: RetryDelivery,
    private readonly cancelDelivery: CancelDelivery,
  ) {}

  @Post()
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'requestDelivery',
    summary: 'Emit an event to everyone subscribed',
    description:
      'Without a broker the answer comes after the first attempt of each delivery; with one, as soon as they are stored.',
  })
  @ApiIdempotencyKey('The same key and body give the first answer again; nothing is sent twice.')
  @ApiAcceptedResponse({ type: RequestedDeliveryView })
  @ApiErrors([404, 'no_active_subscriptions_for_event'], [409, 'idempotency_conflict'], 413, 415)
  async request(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Body() dto: RequestDeliveryDto,
    @Req() request: FastifyRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ): Promise<RequestedDeliveryView> {
    checkIdempotencyKey(idempotencyKey);
    // The payload's own text: parsing and writing it again would reorder keys such as "10" and round large numbers.
    const payload = extractProperty(request.rawJson ?? '{}', 'payload') ?? JSON.stringify(dto.payload);
    return presentRequested(
      await this.requestDelivery.execute({
        ...{ tenantId, actor, event: dto.event, payload, idempotencyKey },
        orderingKey: dto.ordering_key,
      }),
    );
  }

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'List deliveries, newest first',
    description: 'When there are more, the `Link` header carries the URL of the next page (`rel="next"`).',
  })
  @ApiKeysetPage(DeliveryView)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: ListDeliveriesDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeliveryView[]> {
    const { limit, afterId } = positionOf(query);
    const page = await this.readDeliveries.list(
      tenantId,
      {
        event: query.event?.trim().toLowerCase(),
        status: query.status,
        subscriptionId: query.subscription_id,
        httpClass: query.http_class,
        errorClass: query.error_class,
        q: query.q,
        since: givenInstant(query.since),
        until: givenInstant(query.until),
      },
      limit,
      afterId,
    );
    linkNextPage(request, reply, page.hasMore ? (page.deliveries.at(-1)?.id ?? null) : null);
    return page.deliveries.map(presentDelivery);
  }

  @Get(':id')
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'getDelivery',
    summary: 'Read one delivery with its payload and every attempt',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: DeliveryDetailView })
  @ApiErrors([404, 'delivery_not_found'])
  async get(
    @CurrentTenant() tenantId: string,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const detail = await this.readDeliveries.get(tenantId, known(id));
    void reply.type('application/json; charset=utf-8');
    return deliveryDetailJson(detail);
  }

  @Post(':id/retry')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'retryDelivery',
    summary: 'Send a FAILED delivery again now',
    description:
      'To the current URL with the current secret, with the same `webhook-id`. `force` also resends others.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiBody({ type: RetryDeliveryDto, required: false })
  @ApiAcceptedResponse({ type: RetryView })
  @ApiErrors(
    [400, 'delivery_not_failed'],
    [404, 'delivery_not_found'],
    [409, 'delivery_sending', 'not_next_in_order', 'subscription_inactive', 'payload_expired'],
    413,
    415,
  )
  async retry(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: RetryDeliveryDto,
  ): Promise<RetryView> {
    const command = { tenantId, actor, id: known(id), force: dto.force ?? false };
    await this.retryDelivery.execute(command);
    return { queued: true, message: 'Delivery queued for retry' };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'cancelDelivery',
    summary: 'End a PENDING delivery without another attempt',
    description:
      'It is FAILED with `Cancelled`, and may be sent again later. Cancelling it twice changes nothing.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: DeliveryView })
  @ApiErrors([404, 'delivery_not_found'], [409, 'delivery_not_pending'])
  async cancel(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<DeliveryView> {
    return presentDelivery(await this.cancelDelivery.execute({ tenantId, actor, id: known(id) }));
  }
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('delivery_not_found');
  return id;
}
