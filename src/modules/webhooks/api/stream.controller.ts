import { Controller, Get, Headers, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { AuthError } from '../../../platform/auth/auth-errors.js';
import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequestPrincipals } from '../../../platform/auth/request-principals.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { DeliveryStream } from '../application/delivery-stream.js';
import { StreamDto } from './dto/stream.dto.js';
import { StreamWriter } from './stream-writer.js';

/** Milliseconds between two signs of life, and looks whether the token still counts. */
const BEAT_MS = 15_000;

/** Longest id of a frame that is looked for, in characters. */
const MAX_FRAME_ID = 64;

@ApiTags('Deliveries')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 500, 503)
@Controller('api/v1/tenant/webhooks/stream')
export class StreamController {
  constructor(
    private readonly stream: DeliveryStream,
    private readonly principals: RequestPrincipals,
  ) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'streamDeliveries',
    summary: 'Watch deliveries as they change (server-sent events)',
    description:
      'Frames: `ready` at first; `delivery` with `id`, `subscription_id`, `event`, `status`, `attempts` and `version`, without payload, within about a second of a change: one may come twice, the highest `version` counts; ' +
      '`gap` when changes were left out; `resync` when the reader was away for too long and should fetch anew; `bye` at the end, with the reason. A comment every 15 seconds. `Last-Event-ID` goes on where an earlier stream ended.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The `id` of the last frame of an earlier stream.',
    schema: { type: 'string', maxLength: MAX_FRAME_ID, example: '0d7b1f0e6a11-42' },
  })
  @ApiOkResponse({
    description: 'The stream.',
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example:
          'id: 0d7b1f0e6a11-42\nevent: delivery\ndata: {"id":"0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22","subscription_id":"0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11","event":"invoice.paid","status":"DELIVERED","attempts":1,"version":1795510800000001}\n\n',
      },
    },
  })
  @ApiErrors([429, 'rate_limited', 'too_many_streams'])
  async read(
    @CurrentTenant() tenantId: string,
    @Query() query: StreamDto,
    @Headers('last-event-id') lastId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const writer = new StreamWriter();
    const known = lastId === undefined || lastId === '' ? null : lastId.slice(0, MAX_FRAME_ID);
    const leave = await this.stream.join(tenantId, known, writer);
    const beat = setInterval(() => void this.beat(request, writer), BEAT_MS);
    const seconds = query.max_seconds === undefined ? null : Number(query.max_seconds);
    const end = seconds === null ? null : setTimeout(() => writer.end('max_seconds'), seconds * 1_000);
    // The end of the stream, whoever ended it: we, or a client that has gone, which may have been before this.
    const gone = (): void => {
      writer.readable.destroy();
    };
    if (reply.raw.destroyed) gone();
    else reply.raw.once('close', gone);
    writer.readable.once('close', () => {
      clearInterval(beat);
      if (end !== null) clearTimeout(end);
      leave();
    });
    await reply
      .headers({
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-cache, no-store, no-transform',
        'X-Accel-Buffering': 'no',
      })
      .send(writer.readable);
  }

  private async beat(request: FastifyRequest, writer: StreamWriter): Promise<void> {
    try {
      await this.principals.again(request);
      writer.beat();
    } catch (cause) {
      // Expired, ended, or its key was taken back: whoever reads comes back with another one. Where nobody can say, it goes on.
      if (cause instanceof AuthError) writer.end('token');
      else writer.beat();
    }
  }
}
