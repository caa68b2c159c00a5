import { Body, Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { extractProperty } from '../../../platform/http/raw-json.js';
import { PreviewBody } from '../application/preview-body.js';
import type { Rendered } from '../application/render-body.js';
import { DEFAULT_TEMPLATE } from '../domain/template.js';
import { givenFilter } from './dto/filter-property.js';
import { PreviewDto } from './dto/preview.dto.js';

class BodyView {
  @ApiProperty({ example: 'application/json' })
  content_type!: string;

  @ApiProperty({
    description: 'Byte for byte as it would be sent.',
    example: '{"type":"invoice.created","timestamp":"2026-11-24T09:00:00.000Z","data":{"total":1.10}}',
  })
  body!: string;
}

class PreviewView {
  @ApiProperty({ example: 'invoice.created' })
  event!: string;

  @ApiProperty({
    description: 'The payload as it is stored.',
    type: BodyView,
    example: { content_type: 'application/json', body: '{"total":1.10}' },
  })
  before!: BodyView;

  @ApiProperty({
    description: 'What the template makes of it; null when it makes nothing.',
    oneOf: [{ $ref: getSchemaPath(BodyView) }, { type: 'null' }],
    example: { content_type: 'application/json', body: '{"type":"invoice.created"}' },
  })
  after!: BodyView | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'Why not: `last_error` of a delivery would say so.',
    example: null,
  })
  error!: string | null;

  @ApiProperty({ description: 'Whether a subscription with the filter gets the event.', example: true })
  matches!: boolean;

  @ApiProperty({
    type: [String],
    description:
      'Values that the filter compares with another type, and numbers that the template would round.',
    example: [],
  })
  warnings!: string[];
}

@ApiTags('Subscriptions')
@ApiBearerAuth()
@ApiExtraModels(BodyView)
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 413, 415, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/subscriptions')
export class PreviewController {
  constructor(private readonly previewBody: PreviewBody) {}

  @Post('preview')
  @HttpCode(200)
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'previewBody',
    summary:
      'See whether a filter lets an event through and what a template makes of it; nothing is sent or stored',
  })
  @ApiBody({ type: PreviewDto, required: false })
  @ApiOkResponse({ type: PreviewView })
  @ApiErrors([404, 'event_not_found'], [409, 'payload_expired'])
  async preview(
    @CurrentTenant() tenantId: string,
    @Body() dto: PreviewDto,
    @Req() request: FastifyRequest,
  ): Promise<PreviewView> {
    const { input, rendered, matches, warnings } = await this.previewBody.execute({
      tenantId,
      template: dto.template ?? DEFAULT_TEMPLATE,
      filter: givenFilter(dto, request),
      event: dto.event,
      // Its own text, as for a delivery: numbers keep their digits.
      payload: dto.payload === undefined ? undefined : extractProperty(request.rawJson ?? '{}', 'payload'),
      eventId: dto.event_id ?? undefined,
    });
    return {
      event: input.event,
      before: { content_type: 'application/json', body: input.payload },
      ...shown(rendered),
      matches,
      warnings: [...warnings],
    };
  }
}

function shown(rendered: Rendered): Pick<PreviewView, 'after' | 'error'> {
  if (rendered.kind === 'made') {
    const { contentType, text } = rendered.body;
    return { after: { content_type: contentType, body: text }, error: null };
  }
  const reason = rendered.kind === 'busy' ? 'there is no room to run it now, try again' : rendered.reason;
  return { after: null, error: `Template error: ${reason}` };
}
