/** What a tenant may have, injected from configuration. */
export abstract class SubscriptionLimits {
  /** Active subscriptions of one tenant; 0 sets no limit. */
  abstract readonly maxActiveSubscriptions: number;
}
