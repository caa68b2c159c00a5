import { Injectable, type OnModuleInit } from '@nestjs/common';

import { Clock } from '../../../../platform/kernel/clock.js';
import {
  ReadinessCheck,
  ReadinessRegistry,
  type ReadinessResult,
} from '../../../../platform/observability/readiness.js';
import { SealedSecrets } from '../../application/ports/sealed-secrets.js';
import { SecretVault } from '../../application/ports/secret-vault.js';

/** Milliseconds that a count is good for: it reads every subscription, and balancers ask often. */
const FRESH_MS = 2_000;

/**
 * Shows how many stored secrets still wait to be re-encrypted (`pending`) and how many cannot be read with the keys that
 * are configured (`unreadable`). The latter degrades: their subscriptions cannot be signed for, all others can.
 */
@Injectable()
export class SecretsReadiness extends ReadinessCheck implements OnModuleInit {
  override readonly name = 'secrets';
  private counted: { readonly atMs: number; readonly result: Promise<ReadinessResult> } | null = null;

  constructor(
    private readonly records: SealedSecrets,
    private readonly vault: SecretVault,
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
    const { stale, unreadable } = await this.records.count(this.vault.currentMark, this.vault.knownMarks);
    return { status: unreadable > 0 ? 'degraded' : 'up', pending: stale - unreadable, unreadable };
  }
}
