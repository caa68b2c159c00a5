import { Controller, Get, Res } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { ReadinessRegistry, type ReadinessCheck, type ReadinessResult } from './readiness.js';

class LiveView {
  @ApiProperty({ enum: ['ok'], example: 'ok' })
  status!: 'ok';
}

class ReadyView {
  @ApiProperty({ enum: ['ok', 'degraded', 'down'], example: 'ok' })
  status!: 'ok' | 'degraded' | 'down';

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: true },
    example: { database: { status: 'up' }, deliveries: { status: 'up', pending: 0, oldest_due_age_ms: 0 } },
  })
  checks!: Record<string, ReadinessResult>;
}

@ApiTags('Operations')
@Controller('health')
export class HealthController {
  constructor(private readonly readiness: ReadinessRegistry) {}

  @Get('live')
  @ApiOperation({ operationId: 'getLiveness', summary: 'Whether the process serves requests' })
  @ApiOkResponse({ type: LiveView })
  live(): LiveView {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ operationId: 'getReadiness', summary: 'Whether everything behind it works' })
  @ApiOkResponse({ type: ReadyView, description: 'Ready, perhaps degraded' })
  @ApiServiceUnavailableResponse({
    type: ReadyView,
    description: 'Something that every request needs is down',
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadyView> {
    const results = await Promise.all(
      this.readiness.checks.map(async (check) => [check.name, await resultOf(check)] as const),
    );
    const states = new Set(results.map(([, result]) => result.status));
    const status = states.has('down') ? 'down' : states.has('degraded') ? 'degraded' : 'ok';
    if (status === 'down') void reply.status(503);
    return { status, checks: Object.fromEntries(results) };
  }
}

async function resultOf(check: ReadinessCheck): Promise<ReadinessResult> {
  try {
    return await check.check();
  } catch (cause) {
    // The reason goes to people who can see health, and may name a host: no more than its class.
    return { status: 'down', reason: cause instanceof Error ? cause.name : 'unknown error' };
  }
}
