import {
  DEFAULT_SETTINGS,
  fromStoredSettings,
  type StoredSettings,
  type SubscriptionSettings,
} from '../domain/subscription-settings.js';

/** Texts that are remembered; beyond it the one that was read first goes. */
const CAPACITY = 10_000;

/** Reads the settings that come with claims, once for each text; a subscription without any costs nothing. */
export class KnownSettings {
  private readonly known = new Map<string, SubscriptionSettings>();

  of(text: string | null): SubscriptionSettings {
    if (text === null) return DEFAULT_SETTINGS;
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const settings = fromStoredSettings(JSON.parse(text) as StoredSettings);
    this.known.set(text, settings);
    if (this.known.size > CAPACITY) {
      const oldest = this.known.keys().next();
      if (oldest.done !== true) this.known.delete(oldest.value);
    }
    return settings;
  }
}
