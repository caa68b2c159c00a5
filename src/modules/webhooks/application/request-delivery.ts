import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { InvalidInputError, type InputProblem } from '../../../platform/kernel/domain-error.js';
import type { FieldProblem } from '../../../platform/kernel/field-problem.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { WebhookError } from '../domain/errors.js';
import { parseEmittedName, patternsMatching } from '../domain/event-name.js';
import { orderingKeyRefusal } from '../domain/ordering.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';
import { CheckPayload } from './check-payload.js';
import { DrainLane } from './drain-lane.js';
import { EventIntake, type IntakeResult } from './ports/event-intake.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';

export interface RequestDeliveryCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly event: string;
  /** The JSON text of the payload object, to be stored and sent as it is. */
  readonly payload: string;
  readonly idempotencyKey?: string | undefined;
  readonly orderingKey?: string | undefined;
}

export interface RequestedDelivery {
  readonly eventId: string;
  readonly deliveryIds: readonly string[];
}

/** Stores an event on a tenant's request and has it delivered to everyone subscribed. */
@Injectable()
export class RequestDelivery {
  constructor(
    private readonly intake: EventIntake,
    private readonly drain: DrainLane,
    private readonly dispatcher: LaneDispatcher,
    private readonly ids: IdGenerator,
    private readonly metrics: DeliveryMetrics,
    private readonly checks: CheckPayload,
  ) {}

  /**
   * @throws InvalidInputError; WebhookError `no_active_subscriptions_for_event` (nothing is stored) or
   * `idempotency_conflict`.
   */
  async execute(command: RequestDeliveryCommand): Promise<RequestedDelivery> {
    const event = parseEmittedName(command.event);
    if (!event.ok) throw InvalidInputError.ofField('event', event.message);
    const { orderingKey = null } = command;
    const wrong = orderingKey === null ? null : orderingKeyRefusal(orderingKey);
    if (wrong !== null) throw InvalidInputError.ofField('ordering_key', wrong);
    const problems = this.checks.execute(event.name, command.payload);
    if (problems.length > 0) throw new InvalidInputError(problems.map(inPayload));
    const fingerprint = fingerprintOf(event.name, command.payload, orderingKey);
    const id = this.ids.next();
    const result = await this.intake.accept({
      id,
      tenantId: command.tenantId,
      event: event.name,
      patterns: patternsMatching(event.name),
      payload: command.payload,
      orderingKey,
      fingerprint,
      idempotencyKey: command.idempotencyKey ?? null,
      requestedBy: command.actor,
    });
    return this.answer(id, event.name, fingerprint, result);
  }

  private async answer(
    id: string,
    event: string,
    fingerprint: string,
    result: IntakeResult,
  ): Promise<RequestedDelivery> {
    if (result.kind === 'unmatched') throw new WebhookError('no_active_subscriptions_for_event');
    if (result.kind === 'repeated') {
      if (result.fingerprint !== fingerprint) throw new WebhookError('idempotency_conflict');
      return { eventId: result.eventId, deliveryIds: result.deliveryIds };
    }
    this.metrics.emitted(event);
    // It watches the deliveries from here on: before the first of them can have been attempted.
    const answerable = this.dispatcher.afterRequest(result.waiting, result.deliveryIds);
    for (const { lane, claims } of result.born) this.drain.adopt(lane, claims);
    await answerable;
    return { eventId: id, deliveryIds: result.deliveryIds };
  }
}

function inPayload({ path, msg }: FieldProblem): InputProblem {
  return { type: 'value_error', loc: ['body', 'payload', ...path], msg: `Payload: ${msg}` };
}

/** Tells whether two requests with one idempotency key ask for the same thing. */
function fingerprintOf(event: string, payload: string, orderingKey: string | null): string {
  const hash = createHash('sha256').update(event).update('\n').update(payload);
  // A key has no line break: without one it is as it always was.
  return (orderingKey === null ? hash : hash.update('\n').update(orderingKey)).digest('hex');
}
