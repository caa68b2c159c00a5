import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';

/** Subscriptions that are remembered; with more of them the count is enough to act on. */
const CAPACITY = 10_000;

/**
 * Subscriptions that this process could not sign for: for readiness, and for one line in the log for each key that is
 * missing or wrong, instead of one for each delivery.
 */
@Injectable()
export class UnreadableSecrets {
  private readonly seenAtMs = new Map<string, number>();
  private readonly logged = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  met(subscriptionId: string, cause: unknown): void {
    if (this.seenAtMs.size < CAPACITY) this.seenAtMs.set(subscriptionId, this.clock.monotonicMs());
    const isKnownKind = cause instanceof SecretUnreadableError;
    const what = isKnownKind ? `${cause.reason} ${cause.keyId ?? subscriptionId}` : subscriptionId;
    if (this.logged.has(what) || this.logged.size >= CAPACITY) return;
    this.logged.add(what);
    this.logger.error('A signing secret cannot be read: the deliveries that need it are held', {
      subscriptionId,
      ...(isKnownKind ? { reason: cause.message } : { cause }),
    });
  }

  readable(subscriptionId: string): void {
    this.seenAtMs.delete(subscriptionId);
  }

  /** How many subscriptions were met within so many milliseconds. */
  countWithin(ageMs: number): number {
    const sinceMs = this.clock.monotonicMs() - ageMs;
    for (const [id, atMs] of this.seenAtMs) if (atMs < sinceMs) this.seenAtMs.delete(id);
    return this.seenAtMs.size;
  }
}
