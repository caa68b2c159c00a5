import { InMemoryWebhooks } from './in-memory-webhooks.js';
import type { StoredDelivery } from './in-memory-store.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import type { Lane } from '../domain/lane.js';

/** What is delivered: the order of its keys and its bytes must stay. */
export const ATTEMPTED_PAYLOAD = '{"b":1,"a":"ñ"}';

/** One delivery of one subscription, to be attempted as the engine does. */
export class AttemptLab {
  /** What was told at each answer: whether the endpoint copes. */
  readonly healthy: boolean[] = [];

  private constructor(
    readonly webhooks: InMemoryWebhooks,
    readonly lane: Lane,
    readonly id: string,
  ) {}

  static async open(): Promise<AttemptLab> {
    const webhooks = new InMemoryWebhooks();
    const lane = await webhooks.subscribe();
    const [id = ''] = await webhooks.deliver(ATTEMPTED_PAYLOAD);
    return new AttemptLab(webhooks, lane, id);
  }

  get stored(): StoredDelivery {
    const row = this.webhooks.store.deliveries.get(this.id);
    if (row === undefined) throw new Error('the delivery is gone');
    return row;
  }

  /** Claims what is due and attempts it. */
  async attempt(): Promise<void> {
    const { claims } = await this.webhooks.lanes.claim(this.lane, { limit: 1 });
    for (const claim of claims) {
      await this.webhooks.attempt.execute(claim, (isHealthy) => this.healthy.push(isHealthy) > 0);
    }
  }

  /** Changes settings of the subscription. */
  set(change: Partial<SubscriptionSettings>): void {
    const subscription = this.webhooks.store.subscriptions.get(this.lane.subscriptionId);
    if (subscription === undefined) throw new Error('the subscription is gone');
    subscription.settings = { ...subscription.settings, ...change };
  }
}
