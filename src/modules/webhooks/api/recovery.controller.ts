import { Body, Controller, Headers, HttpCode, Param, Post, Res, UseGuards } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentActor, CurrentTenant } from '../../../platform/auth/current-principal.js';
import { JwtAuthGuard } from '../../../platform/auth/jwt-auth.guard.js';
import { RequireScopes, ScopesGuard } from '../../../platform/auth/scopes.guard.js';
import { ApiErrors } from '../../../platform/http/api-errors.js';
import { givenInstant } from '../../../platform/http/instant.js';
import type { Actor } from '../../../platform/kernel/actor.js';
import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { isUuid } from '../../../platform/kernel/uuid.js';
import { StartTask, type StartTaskCommand } from '../application/start-task.js';
import { WebhookError } from '../domain/errors.js';
import { RecoverDto, RetryDeliveriesDto } from './dto/start-task.dto.js';
import { ApiIdempotencyKey, checkIdempotencyKey } from './idempotency-key.js';
import { DryRunView, presentTask, TaskView } from './task.presenter.js';

const SAME_TASK =
  'The same key and body give the same task again, as it is then; a dry run takes no notice of it.';

/** Sending again what a filter finds: as a background task, or as a count beforehand. */
@ApiTags('Recovery')
@ApiBearerAuth()
@UseGuards(JwtAuthGuard, ScopesGuard)
@ApiErrors(400, 401, 403, 413, 415, 429, 500, 503)
@Controller('api/v1/tenant/webhooks')
export class RecoveryController {
  constructor(private readonly startTask: StartTask) {}

  @Post('deliveries/retry')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'retryDeliveries',
    summary: 'Send every FAILED delivery again that matches a filter, or those in another state',
    description:
      'Without a filter it has to be `all`. Goes on in the background: follow it under `/tasks/{id}`. Only to active subscriptions, with their current URL and secret, as manual attempts under the same `webhook-id`. With `dry_run` it only counts.',
  })
  @ApiBody({ type: RetryDeliveriesDto })
  @ApiAcceptedResponse({ type: TaskView })
  @ApiOkResponse({ type: DryRunView, description: 'The answer to a dry run' })
  @ApiIdempotencyKey(SAME_TASK)
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive', 'idempotency_conflict'])
  async retryDeliveries(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Body() dto: RetryDeliveriesDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TaskView | DryRunView> {
    const { dry_run: dryRun, all, ...filter } = dto;
    // What is sent again cannot be called back: nobody is to mean all of it by leaving something out.
    if (all !== true && Object.values(filter).every((value) => value === undefined)) {
      throw new InvalidInputError([
        {
          type: 'value_error',
          loc: ['body'],
          msg: 'Give a filter, or "all": true for every FAILED delivery',
        },
      ]);
    }
    const selection = {
      status: dto.status ?? 'FAILED',
      event: dto.event?.trim().toLowerCase(),
      subscriptionId: dto.subscription_id,
      since: givenInstant(dto.since)?.toISOString(),
      until: givenInstant(dto.until)?.toISOString(),
    } as const;
    const command = {
      tenantId,
      actor,
      work: { kind: 'retry_deliveries', selection },
      idempotencyKey,
    } as const;
    return this.start(command, dryRun, reply);
  }

  @Post('subscriptions/:id/recover')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'recoverSubscription',
    summary: 'Send everything again that FAILED for a subscription since a time',
    description: 'Goes on in the background: follow it under `/tasks/{id}`. With `dry_run` it only counts.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiAcceptedResponse({ type: TaskView })
  @ApiOkResponse({ type: DryRunView, description: 'The answer to a dry run' })
  @ApiIdempotencyKey(SAME_TASK)
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive', 'idempotency_conflict'])
  async recover(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: RecoverDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TaskView | DryRunView> {
    const selection = { status: 'FAILED', subscriptionId: known(id), since: sinceOf(dto) } as const;
    const command = {
      tenantId,
      actor,
      work: { kind: 'retry_deliveries', selection },
      idempotencyKey,
    } as const;
    return this.start(command, dto.dry_run, reply);
  }

  @Post('subscriptions/:id/replay-missing')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @ApiOperation({
    operationId: 'replayMissing',
    summary: 'Send the events since a time that a subscription matches but never got',
    description:
      'For instance those from before it existed, or while it was deactivated; its filter, as it is now, is asked. Goes on in the background: follow it under `/tasks/{id}`. With `dry_run` it only counts.',
  })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiAcceptedResponse({ type: TaskView })
  @ApiOkResponse({ type: DryRunView, description: 'The answer to a dry run' })
  @ApiIdempotencyKey(SAME_TASK)
  @ApiErrors([404, 'subscription_not_found'], [409, 'subscription_inactive', 'idempotency_conflict'])
  async replayMissing(
    @CurrentTenant() tenantId: string,
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Body() dto: RecoverDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TaskView | DryRunView> {
    const selection = { subscriptionId: known(id), since: sinceOf(dto) };
    const command = { tenantId, actor, work: { kind: 'replay_missing', selection }, idempotencyKey } as const;
    return this.start(command, dto.dry_run, reply);
  }

  private async start(
    command: StartTaskCommand,
    dryRun: boolean | undefined,
    reply: FastifyReply,
  ): Promise<TaskView | DryRunView> {
    checkIdempotencyKey(command.idempotencyKey);
    if (dryRun !== true) return presentTask(await this.startTask.execute(command));
    void reply.status(200);
    return { dry_run: true, ...(await this.startTask.count(command.tenantId, command.work)) };
  }
}

/** The pipe has checked it. */
function sinceOf({ since }: RecoverDto): string {
  return givenInstant(since)?.toISOString() ?? since;
}

function known(id: string): string {
  if (!isUuid(id)) throw new WebhookError('subscription_not_found');
  return id;
}
