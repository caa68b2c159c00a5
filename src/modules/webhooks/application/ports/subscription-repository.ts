import type { Subscription } from '../../domain/subscription.js';
import type { SubscriptionSettings } from '../../domain/subscription-settings.js';
import type { Transaction } from './transaction.js';

export interface NewSubscription {
  readonly id: string;
  readonly tenantId: string;
  /** At least one, each once. */
  readonly events: readonly string[];
  readonly url: string;
  readonly sealedSecret: string;
  /** None when left out. */
  readonly description?: string | null;
  /** JSON text; every payload when left out. */
  readonly filter?: string | null;
  /** All defaults when left out. */
  readonly settings?: SubscriptionSettings;
}

/** Undefined fields stay as they are. */
export interface SubscriptionChange {
  readonly events?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly sealedSecret?: string | undefined;
  readonly description?: string | null | undefined;
  readonly filter?: string | null | undefined;
  readonly active?: boolean | undefined;
  /** Makes the new settings of those that are stored, which nobody else changes meanwhile. */
  readonly settings?: ((current: SubscriptionSettings) => SubscriptionSettings) | undefined;
}

export interface SubscriptionFilter {
  /** Among its events, as it is written there. */
  readonly event?: string | undefined;
  readonly active?: boolean | undefined;
}

/** A tenant's subscriptions. Must not come in: secrets in clear, anything of another tenant. */
export abstract class SubscriptionRepository {
  /** @throws WebhookError `duplicate_subscription` when an active one has one of the events and the URL (a unique index decides). */
  abstract insert(transaction: Transaction, subscription: NewSubscription): Promise<Subscription>;
  abstract find(transaction: Transaction, id: string): Promise<Subscription | null>;
  /** Newest first. */
  abstract list(transaction: Transaction, filter: SubscriptionFilter): Promise<Subscription[]>;
  /**
   * With `active: false` as {@link deactivate} does.
   *
   * @returns null when there is no such subscription. @throws WebhookError `duplicate_subscription` as for insert.
   */
  abstract update(
    transaction: Transaction,
    id: string,
    change: SubscriptionChange,
  ): Promise<Subscription | null>;
  /**
   * The active ones, as this transaction leaves them. Whoever counts after it waits until it ends, so that parallel
   * requests cannot pass a limit together.
   */
  abstract countActive(transaction: Transaction): Promise<number>;
  /**
   * Ends the deliveries that wait for it as well, FAILED with `Subscription deactivated` and no attempt spent; they stay so
   * when it is activated again. An attempt under way goes on.
   *
   * @returns false when there is no active subscription of that id
   */
  abstract deactivate(transaction: Transaction, id: string, reason: string): Promise<boolean>;
}
