import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';
import {
  SealedSecrets,
  type ResealedSecret,
  type SealedPosition,
  type StaleSecret,
} from './ports/sealed-secrets.js';
import { SecretVault } from './ports/secret-vault.js';

/** Subscriptions in one transaction: it lasts milliseconds and is the most that a stop waits for. */
const BATCH_SUBSCRIPTIONS = 200;

/** How far a walk over all records came. */
export interface ResealResult {
  readonly resealed: number;
  /** Records that could not be opened: their key is missing, or they were altered. */
  readonly unreadable: number;
  /** `stopped`: by the caller. `busy`: another process is at it. */
  readonly ended: 'complete' | 'stopped' | 'busy';
}

/** Brings every stored secret under the current encryption key, after a new key was put first. */
@Injectable()
export class ResealSecrets {
  constructor(
    private readonly records: SealedSecrets,
    private readonly vault: SecretVault,
    private readonly logger: AppLogger,
  ) {}

  /** @param isStopped asked between batches */
  async execute(isStopped: () => boolean): Promise<ResealResult> {
    // Expired ones first: nobody needs them under a new key, nor misses their old one.
    await this.records.forgetExpired();
    let after: SealedPosition | null = null;
    let resealed = 0;
    const unreadable: SecretUnreadableError[] = [];
    do {
      if (isStopped()) return { resealed, unreadable: unreadable.length, ended: 'stopped' };
      const batch = await this.records.resealBatch(
        this.vault.currentMark,
        after,
        BATCH_SUBSCRIPTIONS,
        (stale) => stale.flatMap((record) => this.reseal(record, unreadable)),
      );
      if (batch === null) return { resealed, unreadable: unreadable.length, ended: 'busy' };
      resealed += batch.replaced;
      after = batch.last;
    } while (after !== null);
    this.report(resealed, unreadable);
    return { resealed, unreadable: unreadable.length, ended: 'complete' };
  }

  private reseal(record: StaleSecret, unreadable: SecretUnreadableError[]): ResealedSecret[] {
    try {
      return [{ ...record, resealed: this.vault.seal(this.vault.open(record.sealed, record), record) }];
    } catch (cause) {
      if (!(cause instanceof SecretUnreadableError)) throw cause;
      unreadable.push(cause);
      return [];
    }
  }

  private report(resealed: number, unreadable: readonly SecretUnreadableError[]): void {
    if (resealed > 0) {
      this.logger.info(`Re-encrypted ${resealed} signing secrets under the current key`);
    }
    const [first] = unreadable;
    if (first !== undefined) {
      this.logger.error(`${unreadable.length} signing secrets cannot be read: ${first.message}`);
    }
  }
}
