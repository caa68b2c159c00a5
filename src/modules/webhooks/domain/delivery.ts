import type { AttemptTrigger, ErrorClass } from './attempt.js';

/**
 * `PENDING`: waiting, or waiting for its next attempt. `SENDING`: an attempt is under way. `DELIVERED`: a 2xx came back.
 * `FAILED`: no automatic attempt will follow.
 */
export const DELIVERY_STATUSES = ['PENDING', 'SENDING', 'DELIVERED', 'FAILED'] as const;

export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Who or what keeps a delivery back, in the order in which they are named: its tenant, its endpoint that fails, or that asked
 * to be left alone for a while, the order or a limit of its subscription; `operator`: the service itself is not set up as it should be.
 */
export const HOLD_REASONS = [
  'paused',
  'circuit_open',
  'throttled',
  'order',
  'batching',
  'rate_limited',
  'operator',
] as const;

export type HoldReason = (typeof HOLD_REASONS)[number];

/** A delivery that waits although its turn has come; no attempt is spent on it. */
export interface Hold {
  readonly reason: HoldReason;
  /** When it is looked at again; null: nobody knows. */
  readonly until: Date | null;
  /** The delivery that it waits for, where it waits for one. */
  readonly blockedBy?: string;
}

/** What an attempt came to, as lists show it. */
export interface LastAttempt {
  readonly durationMs: number;
  readonly statusCode: number | null;
  readonly errorClass: ErrorClass | null;
}

/** A delivery: one event for one subscription, with the state that its attempts have brought it to. */
export interface Delivery {
  readonly id: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly eventId: string;
  readonly event: string;
  readonly status: DeliveryStatus;
  /** Attempts started, automatic and manual. */
  readonly attempts: number;
  readonly targetUrl: string;
  readonly lastError: string | null;
  /** The last attempt that ended; null before the first has. */
  readonly lastAttempt: LastAttempt | null;
  /** When the next attempt is due; null unless PENDING. */
  readonly nextAttemptAt: Date | null;
  /** What keeps it back; null unless PENDING. */
  readonly hold: Hold | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A delivery that this process may attempt now, with all that the attempt needs. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly eventId: string;
  readonly event: string;
  /** The body, byte for byte. */
  readonly payload: string;
  /** The number of the attempt that the claim started, from 1. */
  readonly attemptNumber: number;
  /** Automatic attempts started so far, this one included when it is automatic. */
  readonly autoAttempts: number;
  readonly trigger: AttemptTrigger;
  /** An automatic attempt after a failed one. */
  readonly isRetry: boolean;
  /** Milliseconds that it waits for its slot, where a rate is limited; 0: none. */
  readonly waitMs: number;
  /** Of its lane's circuit when it was claimed. */
  readonly epoch: number;
  /** It finds out whether an endpoint is well again; a failed one is not charged to the schedule. */
  readonly isProbe: boolean;
  /** Those that go with it in one request, after it; undefined: it goes alone. */
  readonly together?: readonly ClaimedDelivery[];
  /** Proves the claim: a result counts only while the row still carries it. */
  readonly leaseToken: string;
  readonly targetUrl: string;
  readonly sealedSecret: string;
  /** Signs as well while a rotation's overlap lasts; null otherwise. */
  readonly sealedPreviousSecret: string | null;
  /** What the subscription asks for, as JSON text; null: all defaults. */
  readonly settings: string | null;
  /** True when retention removed the payload after the delivery was asked for again; `payload` is empty then. */
  readonly payloadExpired: boolean;
  /** False once the subscription was deactivated: nothing may be sent any more. */
  readonly subscriptionActive: boolean;
}

/**
 * Attempts of a delivery that may end with their process without using up its schedule. Beyond them they count: a delivery
 * that kills its worker must not do so for ever.
 */
export const FREE_INTERRUPTIONS = 3;

/**
 * Automatic attempts of a delivery that had ended and is sent again: more than any schedule has, so that one attempt is made and
 * none follows it.
 */
export const SCHEDULE_OVER = 1_000;

/** The `last_error` of a delivery whose subscription was deactivated before it could be sent. */
export const SUBSCRIPTION_DEACTIVATED = 'Subscription deactivated';

/** The `last_error` of a delivery that its tenant did not want any more. */
export const CANCELLED = 'Cancelled';

/** The `last_error` of a delivery that was held for longer than deliveries may be. */
export const HELD_TOO_LONG = 'Held too long';

/** The `last_error` of a delivery whose payload was removed at the moment when it was asked for again. */
export const PAYLOAD_EXPIRED = 'Payload expired';

/**
 * Why a request for a manual attempt is refused in this state, null where it is not: the table of `POST /deliveries/:id/retry`.
 * Requeueing a PENDING delivery replaces its automatic attempt, so that two requests never make three attempts; beside an attempt
 * under way, another would be a duplicate.
 */
export function refusesManualRetry(
  status: DeliveryStatus,
  force: boolean,
): 'delivery_not_failed' | 'delivery_sending' | null {
  if (status === 'FAILED') return null;
  if (!force) return 'delivery_not_failed';
  return status === 'SENDING' ? 'delivery_sending' : null;
}

/** What `POST /deliveries/:id/cancel` does in each state: an attempt under way cannot be called back. */
export function decideCancellation({
  status,
  lastError,
}: Pick<Delivery, 'status' | 'lastError'>): 'end' | 'ended_already' | 'refused' {
  if (status === 'PENDING') return 'end';
  return status === 'FAILED' && lastError === CANCELLED ? 'ended_already' : 'refused';
}
