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
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { nextPageLink } from '../../../platform/http/link-header.js';
import { extractProperty } from '../../../platform/http/raw-json.js';
import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { ReadDeliveries } from '../application/read-deliveries.js';
import { RequestDelivery } from '../application/request-delivery.js';
import { RetryDelivery } from '../application/retry-delivery.js';
import { WebhookError } from '../domain/errors.js';
import { decodeCursor, encodeCursor } from './delivery-cursor.js';
import {
  deliveryDetailJson,
  DeliveryDetailView,
  DeliveryView,
  presentDelivery,
} from './delivery.presenter.js';
import { ListDeliveriesDto, MAX_PAGE } from './dto/list-deliveries.dto.js';
import { RequestDeliveryDto } from './dto/request-delivery.dto.js';
import { RetryDeliveryDto } from './dto/retry-delivery.dto.js';
import { presentRequested, presentRetry, RequestedDeliveryView, RetryView } from './queued.presenter.js';

/** Printable ASCII, as other APIs with this header have it. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

@ApiTags('Deliveries')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@Controller('api/v1/tenant/webhooks/deliveries')
export class DeliveriesController {
  constructor(
    private readonly requestDelivery: RequestDelivery,
    private readonly readDeliveries: ReadDeliveries,
    private readonly retryDelivery: RetryDelivery,
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
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      '1–255 printable ASCII characters. The same key and body give the first answer again; nothing is sent twice.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  })
  @ApiAcceptedResponse({ type: RequestedDeliveryView })
  @ApiErrors(400, 401, 403, 404, 409, 413, 415)
  async request(
    @CurrentTenant() tenantId: string,
    @Body() dto: RequestDeliveryDto,
    @Req() request: FastifyRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ): Promise<RequestedDeliveryView> {
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw new InvalidInputError([
        {
          type: 'value_error',
          loc: ['header', 'idempotency-key'],
          msg: 'Idempotency-Key must be 1–255 printable ASCII characters without spaces',
        },
      ]);
    }
    // The payload's own text: parsing and writing it again would reorder keys such as "10" and round large numbers.
    const payload = extractProperty(request.rawJson ?? '{}', 'payload') ?? JSON.stringify(dto.payload);
    return presentRequested(
      await this.requestDelivery.execute({ tenantId, event: dto.event, payload, idempotencyKey }),
    );
  }

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'List deliveries, newest first',
    description: 'When there are more, the `Link` header carries the URL of the next page (`rel="next"`).',
  })
  @ApiOkResponse({
    type: [DeliveryView],
    headers: {
      Link: { description: 'The next page, when there is one (RFC 8288).', schema: { type: 'string' } },
    },
  })
  @ApiErrors(400, 401, 403)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: ListDeliveriesDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeliveryView[]> {
    const page = await this.readDeliveries.list(
      tenantId,
      {
        event: query.event?.trim().toLowerCase(),
        status: query.status,
        subscriptionId: query.subscription_id,
        since: query.since === undefined ? undefined : new Date(query.since),
        until: query.until === undefined ? undefined : new Date(query.until),
      },
      query.limit ?? MAX_PAGE,
      query.cursor === undefined ? null : decodeCursor(query.cursor),
    );
    const last = page.deliveries.at(-1);
    if (page.hasMore && last !== undefined)
      void reply.header('Link', nextPageLink(request.url, encodeCursor(last.id)));
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
  @ApiErrors(401, 403, 404)
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
  @ApiErrors(400, 401, 403, 404, 413, 415)
  async retry(
    @CurrentTenant() tenantId: string,
    @Param('id') id: string,
    @Body() dto: RetryDeliveryDto,
  ): Promise<RetryView> {
    return presentRetry(await this.retryDelivery.execute(tenantId, known(id), dto.force ?? false));
  }
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('delivery_not_found');
  return id;
}
