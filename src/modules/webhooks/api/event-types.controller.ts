import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import { EventTypeView, presentEventType } from './event-type.presenter.js';

@ApiTags('Events')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/event-types')
export class EventTypesController {
  constructor(private readonly catalogue: EventCatalogue) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({
    operationId: 'listEventTypes',
    summary: 'List the event types that are known, by name, each with a JSON Schema and an example',
    description:
      'Those of the service and those that modules registered. Events with other names are accepted too; nobody describes them.',
  })
  @ApiOkResponse({ type: [EventTypeView] })
  list(): EventTypeView[] {
    return this.catalogue.all().map(presentEventType);
  }
}
