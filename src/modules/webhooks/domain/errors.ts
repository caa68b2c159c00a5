import { DomainError } from '../../../platform/kernel/domain-error.js';

/** The stable codes of this module, each with its kind; ARCHITECTURE.md documents the same list (kept equal by a test). */
export const WEBHOOK_ERRORS = {
  subscription_not_found: { kind: 'not_found', message: 'No such subscription.' },
  delivery_not_found: { kind: 'not_found', message: 'No such delivery.' },
  event_not_found: { kind: 'not_found', message: 'No such event.' },
  task_not_found: { kind: 'not_found', message: 'No such task.' },
  no_active_subscriptions_for_event: {
    kind: 'not_found',
    message: 'No active subscription matches this event; nothing was sent.',
  },
  duplicate_subscription: {
    kind: 'conflict',
    message: 'An active subscription for this event and URL exists already.',
  },
  subscription_inactive: {
    kind: 'conflict',
    message: 'The subscription is deactivated: activate it first, nothing can be sent to it now.',
  },
  idempotency_conflict: {
    kind: 'conflict',
    message: 'This Idempotency-Key was used before with another body.',
  },
  delivery_not_failed: {
    kind: 'invalid',
    message: 'Only a FAILED delivery can be retried; send {"force": true} to send it again anyway.',
  },
  delivery_sending: {
    kind: 'conflict',
    message: 'An attempt of this delivery is under way: beside it, another would be a duplicate.',
  },
  not_next_in_order: {
    kind: 'conflict',
    message:
      'The subscription wants its events in order, and an earlier one waits or is under way: `blocked_by` names it.',
  },
  delivery_not_pending: {
    kind: 'conflict',
    message:
      'Only a PENDING delivery can be cancelled: an attempt that is under way cannot be called back, and what has ended stays.',
  },
  payload_expired: {
    kind: 'conflict',
    message: 'The payload was removed after WEBHOOK_PAYLOAD_RETENTION_DAYS: there is nothing left to send.',
  },
  too_many_subscriptions: {
    kind: 'conflict',
    message: 'The tenant has reached its limit of active subscriptions.',
  },
  too_many_tests: {
    kind: 'rate_limited',
    message:
      'A subscription may be tested ten times in a minute, and a few at once; wait `Retry-After` seconds.',
  },
} as const;

export type WebhookErrorCode = keyof typeof WEBHOOK_ERRORS;

/** A refusal with one of the module's stable codes. */
export class WebhookError extends DomainError {
  constructor(code: WebhookErrorCode) {
    const { kind, message } = WEBHOOK_ERRORS[code];
    super(code, kind, message);
    this.name = 'WebhookError';
  }
}

/** A test that has to wait. */
export class TooManyTestsError extends WebhookError {
  constructor(override readonly retryAfterSeconds: number) {
    super('too_many_tests');
  }
}

/** `emit` was called with a manager that has no open transaction: the event could be lost or sent for nothing. */
export class EmitOutsideTransactionError extends Error {
  constructor() {
    super(
      'webhooks.emit needs the EntityManager of an open transaction, so that the event commits with your rows: ' +
        'call it inside dataSource.transaction(async (manager) => { … }) and pass that manager.',
    );
    this.name = 'EmitOutsideTransactionError';
  }
}

/** `emit` was called with something that cannot become an event: a programming error of the calling module. */
export class InvalidEmitError extends Error {
  constructor(message: string) {
    super(`webhooks.emit: ${message}`);
    this.name = 'InvalidEmitError';
  }
}
