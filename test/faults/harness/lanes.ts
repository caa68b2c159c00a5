import type { SettingsChange } from '../../../src/modules/webhooks/domain/subscription-settings.js';

/** What the subscription of a lane asks for. */
export interface LaneWish {
  readonly settings?: SettingsChange;
  /** JSON text. */
  readonly filter?: string;
}

/** A subscription of a lab, with an event name and a URL of its own. */
export interface Lane {
  readonly tenantId: string;
  readonly event: string;
  readonly url: string;
  readonly secret: string;
  readonly subscriptionId: string;
  readonly publicKey: string | null;
  readonly wish: LaneWish;
}

/** A filter that keeps back every third event of a lane; emitters put `third` into each payload. */
export const TWO_OF_THREE = '{"third":{"$ne":0}}';

export function isKeptBack({ wish }: Lane, number: number): boolean {
  return wish.filter === TWO_OF_THREE && number % 3 === 0;
}

/** Retries of its own schedule; undefined: as the service is set up. */
export function retriesOf({ wish: { settings } }: Lane): number | undefined {
  return Array.isArray(settings?.retrySchedule) ? settings.retrySchedule.length : undefined;
}

/** Milliseconds between two requests of its rate; undefined: it has none. */
export function stepMsOf({ wish: { settings } }: Lane): number | undefined {
  const rate = settings?.rateLimit;
  return rate == null ? undefined : (rate.perSeconds * 1_000) / rate.max;
}
