import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { membersOf } from '../domain/claims.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { withoutEchoes } from '../domain/kept-answer.js';
import type { RequestBody } from '../domain/preset-body.js';
import {
  nextStep,
  outcomeOfStatus,
  parseRetryAfter,
  probeStep,
  type NextStep,
  type SendOutcome,
} from '../domain/retry-policy.js';
import { waitsOf, type RetryWaits } from '../domain/retry-schedule.js';
import { DeliverySettings } from './delivery-settings.js';
import { attemptTogether, type AttemptParts } from './attempt-batch.js';
import { KeptAnswers } from './kept-answers.js';
import { KnownSettings } from './known-settings.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';
import { HttpSender, type HttpSendResult } from './ports/http-sender.js';
import { ReportCircuit } from './report-circuit.js';
import { RenderBody, type Rendered } from './render-body.js';
import { SignedHeaders, type RequestHeaders } from './signed-headers.js';
import { UnreadableSecrets } from './unreadable-secrets.js';

/**
 * Milliseconds after which a held delivery is looked at again: often enough to flow soon when the operator has mended what
 * holds it, rarely enough to cost nothing.
 */
export const HOLD_MS = 15_000;

export interface AttemptEnd {
  /** Where the delivery goes from here, or when it is looked at again because it could not be attempted now. */
  readonly next: NextStep | { readonly status: 'PENDING'; readonly delayMs: number };
  /** Something else is due in the lane, and this process said that it would not see to it otherwise. */
  readonly isMoreDue: boolean;
}

/** Milliseconds until a delivery is looked at again for whose template there was no room. */
const BUSY_MS = 1_000;

/** A template that took too long or too much is tried again after 1, 2 and 4 s, whatever the schedule of the subscription. */
const TEMPLATE_WAITS = waitsOf('default', 3);

/** Why no request was made: it cannot be signed now, or the delivery may be another process's by now. */
export type NotMade = 'unsigned' | 'withheld';

/** The epoch of a result that tells its circuit nothing. */
const OF_NO_CIRCUIT = -1;

/** What came of a request that was made. */
type MadeResult = Exclude<HttpSendResult, { readonly kind: 'withheld' }>;

/** An attempt as it is recorded. */
export interface MadeAttempt {
  readonly outcome: SendOutcome;
  /** Whether the endpoint coped, or saw nothing of it. */
  readonly isHealthy: boolean;
  readonly durationMs: number;
  readonly statusCode: number | null;
  readonly responseBody: string | null;
  readonly responseHeaders: Readonly<Record<string, string>> | null;
  readonly requestHeaders: Readonly<Record<string, string>>;
}

const NOT_ANSWERED = { statusCode: null, responseBody: null, responseHeaders: null };
const NOT_SENT = { ...NOT_ANSWERED, durationMs: 0, requestHeaders: {}, isHealthy: true };

/** Makes one attempt of a claimed delivery: sign, send, decide, record. */
@Injectable()
export class AttemptDelivery {
  private readonly known = new KnownSettings();
  private readonly answers = new KeptAnswers();

  constructor(
    private readonly settings: DeliverySettings,
    private readonly sender: HttpSender,
    private readonly lanes: DeliveryLanes,
    private readonly bodies: RenderBody,
    private readonly headers: SignedHeaders,
    private readonly unreadable: UnreadableSecrets,
    private readonly circuits: ReportCircuit,
    private readonly metrics: DeliveryMetrics,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /**
   * @param onAnswered called when the request is over, before its result is written: its place is free from then on; says
   * whether this process goes on with the lane anyway
   * @param isOurs asked in the moment before the request is written; a lease that is of no process is always ours
   * @returns where the delivery goes from here, once that is durable.
   */
  async execute(
    claim: ClaimedDelivery,
    onAnswered: (isHealthy: boolean) => boolean,
    isOurs: () => boolean = () => true,
  ): Promise<AttemptEnd> {
    const { retrySchedule, template, batch } = this.known.of(claim.settings);
    if (claim.isProbe) this.circuits.probing();
    // Always an array, also of one.
    if (batch !== null) return attemptTogether(membersOf(claim), this.partsOf(claim, onAnswered, isOurs));
    const rendered = await this.bodies.execute(template, claim);
    if (rendered.kind === 'busy') return this.held(claim, BUSY_MS);
    if (rendered.kind !== 'made') {
      // The endpoint saw nothing of it: it is as healthy as before.
      const goesOn = onAnswered(true);
      const made = { ...NOT_SENT, outcome: templateOutcome(rendered) };
      return this.recorded(claim, made, TEMPLATE_WAITS, goesOn);
    }
    const { body } = rendered;
    const made = await this.send(claim, body, isOurs);
    if (made === 'withheld') return this.givenBack([claim], onAnswered);
    // Whoever runs the service has to mend this; it must not cost the tenant an attempt, nor tell them about the keys.
    if (made === 'unsigned') return this.held(claim, HOLD_MS);
    const goesOn = onAnswered(made.isHealthy);
    return this.recorded(claim, made, waitsOf(retrySchedule, this.settings.maxRetries), goesOn);
  }

  /** Signs and sends. @returns why there was no request, when there was none */
  private async send(
    claim: ClaimedDelivery,
    body: RequestBody,
    isOurs: () => boolean,
    added?: Readonly<Record<string, string>>,
  ): Promise<MadeAttempt | NotMade> {
    const headers = await this.headersOf(claim, body, added);
    if (headers === null) return 'unsigned';
    const waits = waitsOf(this.known.of(claim.settings).retrySchedule, this.settings.maxRetries);
    const total = Math.max(waits.retries + 1, claim.attemptNumber);
    this.logger.info(
      `Attempting webhook delivery ${claim.attemptNumber}/${total}: ${claim.event} to ${withoutQuery(claim.targetUrl)}`,
      { deliveryId: claim.id, tenantId: claim.tenantId },
    );
    const result = await this.sender.send({
      url: claim.targetUrl,
      headers: headers.sent,
      body: body.text,
      timeoutMs: this.timeoutMsOf(claim),
      mayWrite: isOurs,
    });
    if (result.kind === 'withheld') return 'withheld';
    const { durationMs } = result;
    return {
      outcome: this.outcomeOf(result),
      isHealthy: isHealthy(result),
      durationMs,
      ...this.answered(result, headers.secrets),
      requestHeaders: headers.logged,
    };
  }

  /** For a request of several deliveries. */
  private partsOf(
    first: ClaimedDelivery,
    onAnswered: (isHealthy: boolean) => boolean,
    isOurs: () => boolean,
  ): AttemptParts {
    const { retrySchedule, template } = this.known.of(first.settings);
    const waits = waitsOf(retrySchedule, this.settings.maxRetries);
    // Where the endpoint saw nothing of any of them it is as healthy as before.
    let isWell = true;
    return {
      waits,
      render: (claim) => this.bodies.execute(template, claim),
      send: async (claim, body, added) => {
        const made = await this.send(claim, body, isOurs, added);
        if (typeof made !== 'string') isWell = made.isHealthy;
        return made;
      },
      write: (claim, made, next, isFirst) => {
        const goesOn = onAnswered(isWell);
        // What counts for the endpoint is one request.
        const one = isFirst ? claim : { ...claim, epoch: OF_NO_CIRCUIT, isProbe: false };
        const step = one.isProbe ? probeStep(made.outcome, one, waits) : next;
        return this.write(one, made, step, goesOn || !isFirst);
      },
      writeUnmade: (claim, unmade) => {
        const outcome = templateOutcome(unmade);
        return this.write(
          claim,
          { ...NOT_SENT, outcome },
          apart(nextStep(outcome, claim, TEMPLATE_WAITS)),
          false,
        );
      },
      hold: async (claims, why) => {
        if (why === 'withheld') return this.givenBack(claims, onAnswered);
        const delayMs = why === 'busy' ? BUSY_MS : HOLD_MS;
        await this.lanes.hold(claims, 'operator', delayMs);
        return { next: { status: 'PENDING', delayMs }, isMoreDue: false };
      },
      giveBack: (claims) => this.lanes.release(claims),
    };
  }

  /**
   * This process stood still, and others may have taken them: the endpoint saw nothing of this attempt. Under their lease token,
   * so that what others have by now stays theirs.
   */
  private async givenBack(
    claims: readonly ClaimedDelivery[],
    onAnswered: (isHealthy: boolean) => boolean,
  ): Promise<AttemptEnd> {
    onAnswered(true);
    await this.lanes.release(claims);
    return { next: { status: 'PENDING', delayMs: 0 }, isMoreDue: false };
  }

  private async held(claim: ClaimedDelivery, delayMs: number): Promise<AttemptEnd> {
    await this.lanes.hold([claim], 'operator', delayMs);
    return { next: { status: 'PENDING', delayMs }, isMoreDue: false };
  }

  /** Writes what an attempt came to, and tells it to metrics and log. */
  private recorded(
    claim: ClaimedDelivery,
    made: MadeAttempt,
    waits: RetryWaits,
    goesOn: boolean,
  ): Promise<AttemptEnd> {
    const { outcome } = made;
    const next = claim.isProbe ? probeStep(outcome, claim, waits) : nextStep(outcome, claim, waits);
    return this.write(claim, made, next, goesOn);
  }

  private async write(
    claim: ClaimedDelivery,
    made: MadeAttempt,
    next: NextStep,
    goesOn: boolean,
  ): Promise<AttemptEnd> {
    const { outcome, durationMs, statusCode, responseBody, responseHeaders, requestHeaders } = made;
    const errorClass =
      outcome.kind === 'delivered' ? null : outcome.kind === 'blocked' ? 'blocked' : outcome.errorClass;
    const { held, isMoreDue, turns } = await this.lanes.record({
      tenantId: claim.tenantId,
      subscriptionId: claim.subscriptionId,
      eventId: claim.eventId,
      event: claim.event,
      deliveryId: claim.id,
      leaseToken: claim.leaseToken,
      number: claim.attemptNumber,
      trigger: claim.trigger,
      durationMs: Math.round(durationMs),
      statusCode,
      errorClass,
      error: outcome.kind === 'delivered' ? null : outcome.error,
      responseBody,
      responseHeaders,
      requestHeaders,
      next,
      epoch: claim.epoch,
      isProbe: claim.isProbe,
      retryAfterMs: outcome.kind === 'retryable' ? outcome.retryAfterMs : 0,
      // A turn that is opening the lane now may see it before this result, and what is next in an order behind it.
      asksForMore: !goesOn || this.known.of(claim.settings).ordering === 'fifo',
    });
    this.circuits.turned(claim, turns);
    this.metrics.attempted({
      tenantId: claim.tenantId,
      event: claim.event,
      durationMs,
      statusCode,
      reason: next.status === 'PENDING' ? errorClass : null,
      next,
    });
    this.report(claim, outcome, held);
    return { next, isMoreDue };
  }

  /** The time budget of an attempt, in milliseconds. */
  timeoutMsOf(claim: ClaimedDelivery): number {
    const { timeoutSeconds } = this.known.of(claim.settings);
    return timeoutSeconds === null ? this.settings.timeoutMs : timeoutSeconds * 1_000;
  }

  /** How much longer than usual an attempt may take, in milliseconds: its budget beyond that of the service. */
  extraMsOf(claim: ClaimedDelivery): number {
    return Math.max(0, this.timeoutMsOf(claim) - this.settings.timeoutMs);
  }

  /** @returns null when it cannot be signed now. */
  private async headersOf(
    claim: ClaimedDelivery,
    body: RequestBody,
    added?: Readonly<Record<string, string>>,
  ): Promise<RequestHeaders | null> {
    try {
      const headers = await this.headers.of(claim, this.known.of(claim.settings), body, added);
      this.unreadable.readable(claim.subscriptionId);
      return headers;
    } catch (cause) {
      this.unreadable.met(claim.subscriptionId, cause);
      return null;
    }
  }

  /** What was answered, as far as it is kept. */
  private answered(
    result: MadeResult,
    secrets: readonly string[],
  ): Pick<MadeAttempt, 'statusCode' | 'responseBody' | 'responseHeaders'> {
    if (result.kind !== 'response') return NOT_ANSWERED;
    return {
      statusCode: result.statusCode,
      responseBody: withoutEchoes(result.responseBody, secrets),
      responseHeaders: this.answers.of(result.responseHeaders, secrets),
    };
  }

  private outcomeOf(result: MadeResult): SendOutcome {
    if (result.kind === 'response') {
      return outcomeOfStatus(result.statusCode, parseRetryAfter(result.retryAfter, this.clock.nowMs()));
    }
    if (result.errorClass === 'blocked') return { kind: 'blocked', error: result.error };
    return {
      kind: 'retryable',
      error: result.error,
      errorClass: result.errorClass,
      statusCode: null,
      retryAfterMs: 0,
    };
  }

  private report(claim: ClaimedDelivery, outcome: SendOutcome, held: boolean): void {
    const context = { deliveryId: claim.id, tenantId: claim.tenantId };
    if (outcome.kind === 'delivered') {
      this.logger.info(`Webhook delivered successfully: ${claim.id} (HTTP ${outcome.statusCode})`, context);
    } else {
      this.logger.warn(`Webhook delivery failed: ${claim.id} (${outcome.error})`, context);
    }
    if (!held) {
      this.logger.warn(
        `The lease of delivery ${claim.id} ended before its result was written: the attempt is recorded, the state left to the newer lease`,
        context,
      );
    }
  }
}

/** What goes with others next time must not wait for one whose template failed. */
function apart(next: NextStep): NextStep {
  return next.status === 'PENDING' ? { ...next, isApart: true } : next;
}

/** Whether the endpoint coped: it answered, and not that it cannot or that it is too much. */
function isHealthy(result: MadeResult): boolean {
  return result.kind === 'response' && result.statusCode < 500 && result.statusCode !== 429;
}

/** A URL as it may be logged: query strings can carry tokens. */
function withoutQuery(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** What a template that made no body comes to: its own fault is for good. */
function templateOutcome({ kind, reason }: Extract<Rendered, { readonly reason: string }>): SendOutcome {
  const failure = {
    error: `Template error: ${reason}`,
    errorClass: 'template_error',
    statusCode: null,
  } as const;
  return kind === 'failed'
    ? { kind: 'permanent', ...failure }
    : { kind: 'retryable', retryAfterMs: 0, ...failure };
}
