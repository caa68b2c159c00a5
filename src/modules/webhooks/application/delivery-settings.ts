export type EventValidation = 'off' | 'warn' | 'reject';

/** The engine's settings, each injected from configuration or left at its default. */
export abstract class DeliverySettings {
  /** Total budget of one attempt in milliseconds. */
  abstract readonly timeoutMs: number;
  /** Automatic retries after the first attempt. */
  abstract readonly maxRetries: number;
  abstract readonly userAgent: string;
  /** Who signs JWTs: their `iss`. */
  abstract readonly issuer: string;
  /** Whether an emitted event is kept when nobody is subscribed to it. */
  abstract readonly storeUnmatched: boolean;
  /** What becomes of emitted payloads that do not fit the schema of their type. */
  abstract readonly eventValidation: EventValidation;
}
