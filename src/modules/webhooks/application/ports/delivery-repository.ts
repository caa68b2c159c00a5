import type { AttemptTrigger, ErrorClass, HttpClass } from '../../domain/attempt.js';
import type { Delivery, DeliveryStatus } from '../../domain/delivery.js';
import type { BlockedBy } from '../../domain/gates/lane-hold.js';
import type { Transaction } from './transaction.js';

export interface DeliveryFilter {
  readonly event?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
  readonly subscriptionId?: string | undefined;
  /** How the last attempt failed. */
  readonly errorClass?: ErrorClass | undefined;
  /** What the last attempt was answered. */
  readonly httpClass?: HttpClass | undefined;
  /** The id of a delivery, of its event or subscription, or of what the event is about (of its newest 1,000 events). */
  readonly q?: string | undefined;
  /** Created at or after. */
  readonly since?: Date | undefined;
  /** Created before. */
  readonly until?: Date | undefined;
}

/** Where a page ended: ids are UUIDv7, so they order deliveries by creation. */
export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly hasMore: boolean;
}

/** One attempt as it was recorded. */
export interface AttemptRecord {
  readonly number: number;
  readonly trigger: AttemptTrigger;
  /** Of a circuit that was not closed. */
  readonly isProbe: boolean;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly statusCode: number | null;
  readonly errorClass: ErrorClass | null;
  readonly error: string | null;
  readonly responseBody: string | null;
  /** Null where there was no answer, and of attempts from before they were kept. */
  readonly responseHeaders: Readonly<Record<string, string>> | null;
  readonly requestHeaders: Readonly<Record<string, string>>;
}

export interface DeliveryDetail extends Delivery {
  /** The JSON text as it is sent; null once retention has removed it. */
  readonly payload: string | null;
  readonly attemptLog: readonly AttemptRecord[];
}

/** What a delivery waits for in the order of its endpoint. */
export type Blocker = BlockedBy;

/** A delivery whose next step is being decided. */
export interface LockedDelivery extends Delivery {
  /** There is nothing left to send. */
  readonly payloadExpired: boolean;
  /** False: its subscription was deactivated. */
  readonly subscriptionActive: boolean;
  /** While it waits: what it has to wait for in the order of its endpoint; null: it is the next, or there is no order. */
  readonly blocker: Blocker | null;
}

/** What a tenant sees and asks of deliveries. Must not come in: claiming and results, which are the drain's. */
export abstract class DeliveryRepository {
  /** Newest first, starting after the delivery `afterId`. `limit` 1–100. */
  abstract list(
    transaction: Transaction,
    filter: DeliveryFilter,
    limit: number,
    afterId: string | null,
  ): Promise<DeliveryPage>;
  abstract findDetail(transaction: Transaction, id: string): Promise<DeliveryDetail | null>;
  /** The state for a decision, locked until the transaction ends, so that parallel requests decide one after another. */
  abstract findForUpdate(transaction: Transaction, id: string): Promise<LockedDelivery | null>;
  /** Makes it due now, as a manual attempt; where order is kept, before what waits if it had ended. */
  abstract requeueManually(transaction: Transaction, id: string): Promise<void>;
  /** Ends one that is PENDING (see `findForUpdate`): FAILED, with this as its error. @returns it as it is then */
  abstract end(transaction: Transaction, delivery: Delivery, lastError: string): Promise<Delivery>;
}
