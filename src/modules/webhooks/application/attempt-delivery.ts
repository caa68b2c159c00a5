import { Injectable } from '@nestjs/common';

import { membersOf } from '../domain/claims.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { nextStep, probeStep, type NextStep, type SendOutcome } from '../domain/retry-policy.js';
import { waitsOf, type RetryWaits } from '../domain/retry-schedule.js';
import { attemptTogether, type AttemptParts } from './attempt-batch.js';
import { DeliverySettings } from './delivery-settings.js';
import { KnownSettings } from './known-settings.js';
import { MakeRequest, NOT_ANSWERED, type MadeAttempt } from './make-request.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { RecordAttempt } from './record-attempt.js';
import { RenderBody, type Rendered } from './render-body.js';
import { ReportCircuit } from './report-circuit.js';

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

/** The epoch of a result that tells its circuit nothing. */
const OF_NO_CIRCUIT = -1;

const NOT_SENT = { ...NOT_ANSWERED, durationMs: 0, requestHeaders: {}, isHealthy: true };

/** Makes one attempt of a claimed delivery: render, request, decide, record. */
@Injectable()
export class AttemptDelivery {
  private readonly known = new KnownSettings();

  constructor(
    private readonly settings: DeliverySettings,
    private readonly bodies: RenderBody,
    private readonly requests: MakeRequest,
    private readonly results: RecordAttempt,
    private readonly lanes: DeliveryLanes,
    private readonly circuits: ReportCircuit,
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
    const settings = this.known.of(claim.settings);
    if (claim.isProbe) this.circuits.probing();
    // Always an array, also of one.
    if (settings.batch !== null)
      return attemptTogether(membersOf(claim), this.partsOf(claim, onAnswered, isOurs));
    const rendered = await this.bodies.execute(settings.template, claim);
    if (rendered.kind === 'busy') return this.held([claim], BUSY_MS);
    if (rendered.kind !== 'made') {
      // The endpoint saw nothing of it: it is as healthy as before.
      const goesOn = onAnswered(true);
      const made = { ...NOT_SENT, outcome: templateOutcome(rendered) };
      return this.write(claim, made, stepAfter(made.outcome, claim, TEMPLATE_WAITS), goesOn);
    }
    const made = await this.requests.execute({ claim, settings, body: rendered.body, isOurs });
    if (made === 'withheld') return this.givenBack([claim], onAnswered);
    // Whoever runs the service has to mend this; it must not cost the tenant an attempt, nor tell them about the keys.
    if (made === 'unsigned') return this.held([claim], HOLD_MS);
    const goesOn = onAnswered(made.isHealthy);
    const waits = waitsOf(settings.retrySchedule, this.settings.maxRetries);
    return this.write(claim, made, stepAfter(made.outcome, claim, waits), goesOn);
  }

  /** How much longer than usual an attempt may take, in milliseconds: its budget beyond that of the service. */
  extraMsOf(claim: ClaimedDelivery): number {
    const timeoutMs = this.requests.timeoutMsOf(this.known.of(claim.settings));
    return Math.max(0, timeoutMs - this.settings.timeoutMs);
  }

  /** For a request of several deliveries. */
  private partsOf(
    first: ClaimedDelivery,
    onAnswered: (isHealthy: boolean) => boolean,
    isOurs: () => boolean,
  ): AttemptParts {
    const settings = this.known.of(first.settings);
    const waits = waitsOf(settings.retrySchedule, this.settings.maxRetries);
    // Where the endpoint saw nothing of any of them it is as healthy as before.
    let isWell = true;
    return {
      waits,
      render: (claim) => this.bodies.execute(settings.template, claim),
      send: async (claim, body, added) => {
        const made = await this.requests.execute({ claim, settings, body, added, isOurs });
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
        const next = apart(nextStep(outcome, claim, TEMPLATE_WAITS));
        return this.write(claim, { ...NOT_SENT, outcome }, next, false);
      },
      hold: async (claims, why) => {
        if (why === 'withheld') return this.givenBack(claims, onAnswered);
        return this.held(claims, why === 'busy' ? BUSY_MS : HOLD_MS);
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

  private async held(claims: readonly ClaimedDelivery[], delayMs: number): Promise<AttemptEnd> {
    await this.lanes.hold(claims, 'operator', delayMs);
    return { next: { status: 'PENDING', delayMs }, isMoreDue: false };
  }

  private async write(
    claim: ClaimedDelivery,
    made: MadeAttempt,
    next: NextStep,
    goesOn: boolean,
  ): Promise<AttemptEnd> {
    // A turn that is opening the lane now may see it before this result, and what is next in an order behind it.
    const asksForMore = !goesOn || this.known.of(claim.settings).ordering === 'fifo';
    return { next, isMoreDue: await this.results.execute(claim, made, next, asksForMore) };
  }
}

function stepAfter(outcome: SendOutcome, claim: ClaimedDelivery, waits: RetryWaits): NextStep {
  return claim.isProbe ? probeStep(outcome, claim, waits) : nextStep(outcome, claim, waits);
}

/** What goes with others next time must not wait for one whose template failed. */
function apart(next: NextStep): NextStep {
  return next.status === 'PENDING' ? { ...next, isApart: true } : next;
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
