import { Injectable } from '@nestjs/common';

import { InvalidInputError, type InputProblem } from '../../../platform/kernel/domain-error.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { WebhookError } from '../domain/errors.js';
import type { Subscription } from '../domain/subscription.js';
import { SecretVault } from './ports/secret-vault.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TargetPolicy } from './ports/target-policy.js';
import { TenantTransactions } from './ports/transaction.js';
import { eventPatternProblem, secretProblem, targetProblem } from './subscription-rules.js';

/** Undefined fields stay as they are. */
export interface UpdateSubscriptionCommand {
  readonly tenantId: string;
  readonly id: string;
  readonly event?: string | undefined;
  readonly url?: string | undefined;
  readonly secret?: string | undefined;
  readonly active?: boolean | undefined;
}

@Injectable()
export class UpdateSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly vault: SecretVault,
    private readonly targets: TargetPolicy,
  ) {}

  /** @throws InvalidInputError; WebhookError `subscription_not_found` or `duplicate_subscription`. */
  async execute(command: UpdateSubscriptionCommand): Promise<Subscription> {
    const event = command.event === undefined ? undefined : eventPatternProblem(command.event);
    const problems: InputProblem[] = [
      ...(event?.problems ?? []),
      ...(command.url === undefined ? [] : targetProblem(command.url, this.targets)),
      ...(command.secret === undefined ? [] : secretProblem(command.secret)),
    ];
    if (problems.length > 0) throw new InvalidInputError(problems);

    const updated = await this.transactions.run(command.tenantId, (transaction) =>
      this.subscriptions.update(transaction, command.id, {
        event: event?.name,
        url: command.url,
        active: command.active,
        sealedSecret: command.secret === undefined ? undefined : this.seal(command, command.secret),
      }),
    );
    if (updated === null) throw new WebhookError('subscription_not_found');
    return updated;
  }

  private seal(command: UpdateSubscriptionCommand, secret: string): string {
    return this.vault.seal(new SecretText(secret), {
      tenantId: command.tenantId,
      subscriptionId: command.id,
      purpose: 'signing',
    });
  }
}
