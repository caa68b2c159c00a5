import type { DeliverySettings } from '../application/delivery-settings.js';

/** The engine's settings at their defaults, with what a test wants otherwise. */
export function testSettings(change: Partial<DeliverySettings> = {}): DeliverySettings {
  return {
    timeoutMs: 10_000,
    maxRetries: 3,
    userAgent: 'GestiqCloud-Webhooks/1.0',
    issuer: 'https://webhooks.gestiqcloud.com',
    storeUnmatched: true,
    eventValidation: 'off',
    ...change,
  };
}
