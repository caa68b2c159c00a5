import { BoundedCache } from '../../../platform/kernel/bounded-cache.js';
import {
  DEFAULT_SETTINGS,
  fromStoredSettings,
  type StoredSettings,
  type SubscriptionSettings,
} from '../domain/subscription-settings.js';

/** Texts that are remembered. */
const CAPACITY = 10_000;

/** Reads the settings that come with claims, once for each text; a subscription without any costs nothing. */
export class KnownSettings {
  private readonly known = new BoundedCache<string, SubscriptionSettings>(CAPACITY);

  of(text: string | null): SubscriptionSettings {
    if (text === null) return DEFAULT_SETTINGS;
    return (
      this.known.get(text) ?? this.known.set(text, fromStoredSettings(JSON.parse(text) as StoredSettings))
    );
  }
}
