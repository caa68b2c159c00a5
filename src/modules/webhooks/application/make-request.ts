import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { withoutEchoes } from '../domain/kept-answer.js';
import type { RequestBody } from '../domain/preset-body.js';
import { outcomeOfStatus, parseRetryAfter, type SendOutcome } from '../domain/retry-policy.js';
import { waitsOf } from '../domain/retry-schedule.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import { DeliverySettings } from './delivery-settings.js';
import { KeptAnswers } from './kept-answers.js';
import { HttpSender, type HttpSendResult } from './ports/http-sender.js';
import { SignedHeaders, type RequestHeaders } from './signed-headers.js';
import { UnreadableSecrets } from './unreadable-secrets.js';

/** Why no request was made: it cannot be signed now, or the delivery may be another process's by now. */
export type NotMade = 'unsigned' | 'withheld';

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

/** What a request is made from. */
export interface RequestParts {
  readonly claim: ClaimedDelivery;
  readonly settings: SubscriptionSettings;
  readonly body: RequestBody;
  /** Headers beside those of every request. */
  readonly added?: Readonly<Record<string, string>>;
  /** Asked in the moment before it is written. */
  readonly isOurs: () => boolean;
}

/** What came of a request that was made. */
type MadeResult = Exclude<HttpSendResult, { readonly kind: 'withheld' }>;

export const NOT_ANSWERED = { statusCode: null, responseBody: null, responseHeaders: null };

/** Signs and sends one request, and says what came of it. */
@Injectable()
export class MakeRequest {
  private readonly answers = new KeptAnswers();

  constructor(
    private readonly settings: DeliverySettings,
    private readonly sender: HttpSender,
    private readonly headers: SignedHeaders,
    private readonly unreadable: UnreadableSecrets,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /** @returns why there was no request, when there was none */
  async execute(parts: RequestParts): Promise<MadeAttempt | NotMade> {
    const { claim, settings, body, isOurs } = parts;
    const headers = await this.headersOf(parts);
    if (headers === null) return 'unsigned';
    const waits = waitsOf(settings.retrySchedule, this.settings.maxRetries);
    const total = Math.max(waits.retries + 1, claim.attemptNumber);
    const context = { deliveryId: claim.id, tenantId: claim.tenantId };
    this.logger.info(
      `Attempting webhook delivery ${claim.attemptNumber}/${total}: ${claim.event} to ${withoutQuery(claim.targetUrl)}`,
      context,
    );
    const result = await this.sender.send({
      url: claim.targetUrl,
      headers: headers.sent,
      body: body.text,
      timeoutMs: this.timeoutMsOf(settings),
      mayWrite: isOurs,
    });
    if (result.kind === 'withheld') {
      this.logger.info(`Webhook delivery given back without a request: ${claim.id}`, context);
      return 'withheld';
    }
    const { durationMs } = result;
    return {
      outcome: this.outcomeOf(result),
      isHealthy: isHealthy(result),
      durationMs,
      ...this.answered(result, headers.secrets),
      requestHeaders: headers.logged,
    };
  }

  /** The time budget of an attempt, in milliseconds. */
  timeoutMsOf({ timeoutSeconds }: SubscriptionSettings): number {
    return timeoutSeconds === null ? this.settings.timeoutMs : timeoutSeconds * 1_000;
  }

  /** @returns null when it cannot be signed now. */
  private async headersOf({ claim, settings, body, added }: RequestParts): Promise<RequestHeaders | null> {
    try {
      const headers = await this.headers.of(claim, settings, body, added);
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
