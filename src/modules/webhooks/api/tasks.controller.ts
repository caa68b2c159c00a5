import { Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentActor, CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import {
  ApiKeysetPage,
  KeysetPageQuery,
  linkNextPage,
  positionOf,
} from '../../../platform/http/keyset-page.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { FollowTasks } from '../application/follow-tasks.js';
import { WebhookError } from '../domain/errors.js';
import { presentTask, TaskView } from './task.presenter.js';

@ApiTags('Recovery')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 429, 500, 503)
@Controller('api/v1/tenant/webhooks/tasks')
export class TasksController {
  constructor(private readonly followTasks: FollowTasks) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({ operationId: 'listTasks', summary: 'List background tasks, newest first' })
  @ApiKeysetPage(TaskView)
  async list(
    @CurrentTenant() tenantId: string,
    @Query() query: KeysetPageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TaskView[]> {
    const { limit, afterId } = positionOf(query);
    const page = await this.followTasks.list(tenantId, limit, afterId);
    linkNextPage(request, reply, page.hasMore ? (page.tasks.at(-1)?.id ?? null) : null);
    return page.tasks.map(presentTask);
  }

  @Get(':id')
  @RequireScopes('webhooks:read')
  @ApiOperation({ operationId: 'getTask', summary: 'Read one background task with its progress' })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: TaskView })
  @ApiErrors([404, 'task_not_found'])
  async get(@CurrentTenant() tenantId: string, @Param('id') id: string): Promise<TaskView> {
    return presentTask(await this.followTasks.get(tenantId, known(id)));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'cancelTask',
    summary: 'Stop a background task',
    description: 'What it made due until then is sent. A task that has ended stays as it is.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiOkResponse({ type: TaskView })
  @ApiErrors([404, 'task_not_found'], 413, 415)
  async cancel(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
  ): Promise<TaskView> {
    return presentTask(await this.followTasks.cancel({ tenantId, actor, id: known(id) }));
  }
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('task_not_found');
  return id;
}
