import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { WebhookError } from '../domain/errors.js';
import { generateSecret } from '../domain/generated-secret.js';
import { DEFAULT_OVERLAP_HOURS } from '../domain/secret-rotation.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';
import type { Subscription } from '../domain/subscription.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import { VaultSettingsSealing } from './settings-sealing.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneCircuits } from './ports/lane-circuits.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SecretVault } from './ports/secret-vault.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { SubscriptionSecrets, type PreviousSecret } from './ports/subscription-secrets.js';
import { TenantTransactions } from './ports/transaction.js';
import { overlapHoursProblem, secretProblem } from './subscription-rules.js';

export interface RotateSecretCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
  /** The service makes one when it is absent. */
  readonly secret?: string | undefined;
  /** 0–168; 24 when absent. */
  readonly overlapHours?: number | undefined;
}

export interface RotatedSecret {
  readonly subscription: Subscription;
  /** Present only when the tenant gave no secret: the one time that it is shown. */
  readonly generatedSecret: string | null;
}

/** Gives a subscription a new signing secret, and a new key pair if it has one, while the previous one goes on signing beside it for some hours. */
@Injectable()
export class RotateSecret {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly secrets: SubscriptionSecrets,
    private readonly subscriptions: SubscriptionRepository,
    private readonly circuits: LaneCircuits,
    private readonly trail: AuditTrail,
    private readonly vault: SecretVault,
    private readonly dispatcher: LaneDispatcher,
    private readonly logger: AppLogger,
  ) {}

  /** @throws InvalidInputError with every problem; WebhookError `subscription_not_found`. */
  async execute(command: RotateSecretCommand): Promise<RotatedSecret> {
    const { tenantId, id, overlapHours = DEFAULT_OVERLAP_HOURS } = command;
    const problems = [
      ...(command.secret === undefined ? [] : secretProblem(command.secret)),
      ...overlapHoursProblem(overlapHours),
    ];
    if (problems.length > 0) throw new InvalidInputError(problems);

    const secret = command.secret ?? generateSecret();
    const sealed = this.vault.seal(new SecretText(secret), {
      tenantId,
      subscriptionId: id,
      purpose: 'signing',
    });
    let hasTurned = false;
    const subscription = await this.transactions.run(tenantId, async (transaction) => {
      // What was refused may be taken with the new one.
      hasTurned = await this.circuits.probeSoon(transaction, id);
      const current = await this.secrets.lock(transaction, id);
      if (current === null) throw new WebhookError('subscription_not_found');
      const previous = overlapHours === 0 ? null : this.kept(current, tenantId, id, overlapHours);
      await this.trail.record(transaction, {
        tenantId,
        actor: command.actor,
        action: 'subscription.secret_rotated',
        resourceType: 'subscription',
        resourceId: id,
        details: { overlap_hours: previous?.overlapHours ?? 0, generated: command.secret === undefined },
      });
      const rotated = await this.secrets.rotate(transaction, id, sealed, previous);
      if (rotated.settings.sealedKey === null) return rotated;
      // Both halves of what signs change together, and end together.
      const sealing = new VaultSettingsSealing(this.vault, { tenantId, subscriptionId: id });
      const settings = (current: SubscriptionSettings): SubscriptionSettings =>
        sealing.withNewKey(current, previous !== null);
      return (await this.subscriptions.update(transaction, id, { settings })) ?? rotated;
    });
    if (hasTurned && subscription.active) this.dispatcher.ring([{ tenantId, subscriptionId: id }]);
    return { subscription, generatedSecret: command.secret === undefined ? secret : null };
  }

  /**
   * Sealed anew for its new purpose, so that neither record can take the other's place. A secret that cannot be opened
   * signs nothing already: it is let go, and a rotation is the way out for the tenant.
   */
  private kept(current: string, tenantId: string, id: string, overlapHours: number): PreviousSecret | null {
    const context = { tenantId, subscriptionId: id };
    try {
      const secret = this.vault.open(current, { ...context, purpose: 'signing' });
      return { sealed: this.vault.seal(secret, { ...context, purpose: 'signing_previous' }), overlapHours };
    } catch (cause) {
      if (!(cause instanceof SecretUnreadableError)) throw cause;
      this.logger.warn('A secret was rotated without overlap: the previous one cannot be read', {
        subscriptionId: id,
        reason: cause.message,
      });
      return null;
    }
  }
}
