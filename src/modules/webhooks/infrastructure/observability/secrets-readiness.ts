import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Clock } from '../../../../platform/kernel/clock.js';
import {
  ReadinessCheck,
  ReadinessRegistry,
  type ReadinessResult,
} from '../../../../platform/observability/readiness.js';
import { HOLD_MS } from '../../application/attempt-delivery.js';
import { SealedSecrets, type StoredSecret } from '../../application/ports/sealed-secrets.js';
import { SecretVault } from '../../application/ports/secret-vault.js';
import { UnreadableSecrets } from '../../application/unreadable-secrets.js';
import { SecretUnreadableError } from '../../domain/secret-unreadable.error.js';

/** Milliseconds that a count is good for: it reads every subscription, and balancers ask often. */
const FRESH_MS = 2_000;

/** Records of each key that are tried: a key with other bytes than it had shows in the first of them already. */
const SAMPLE = 50;

/**
 * Shows how many stored secrets still wait to be re-encrypted (`pending`) and how many cannot be read with the keys that
 * are configured (`unreadable`). The latter degrades: the deliveries
 * of their subscriptions are held, all others flow.
 */
@Injectable()
export class SecretsReadiness extends ReadinessCheck implements OnModuleInit {
  override readonly name = 'secrets';
  private counted: { readonly atMs: number; readonly result: Promise<ReadinessResult> } | null = null;

  constructor(
    private readonly records: SealedSecrets,
    private readonly vault: SecretVault,
    private readonly unreadable: UnreadableSecrets,
    private readonly clock: Clock,
    private readonly readiness: ReadinessRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.readiness.register(this);
  }

  override async check(): Promise<ReadinessResult> {
    const nowMs = this.clock.monotonicMs();
    if (this.counted === null || nowMs - this.counted.atMs > FRESH_MS) {
      this.counted = { atMs: nowMs, result: this.count() };
    }
    return this.counted.result;
  }

  private async count(): Promise<ReadinessResult> {
    const { currentMark, knownMarks } = this.vault;
    const { stale, unreadable } = await this.records.count(currentMark, knownMarks);
    const sample = await this.records.sample(knownMarks, SAMPLE);
    const closed = sample.filter((record) => !this.opens(record)).length;
    const held = Math.max(unreadable + closed, this.unreadable.countWithin(2 * HOLD_MS));
    return {
      status: held > 0 ? 'degraded' : 'up',
      pending: stale - unreadable,
      unreadable: held,
      ...(held > 0 ? { reason: 'the configured keys do not open every secret: deliveries are held' } : {}),
    };
  }

  private opens({ sealed, ...context }: StoredSecret): boolean {
    try {
      this.vault.open(sealed, context);
      return true;
    } catch (cause) {
      if (cause instanceof SecretUnreadableError) return false;
      throw cause;
    }
  }
}
