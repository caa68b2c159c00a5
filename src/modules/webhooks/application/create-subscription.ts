import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { InvalidInputError, type InputProblem } from '../../../platform/kernel/domain-error.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { auditedUrl } from '../domain/audit.js';
import { generateSecret } from '../domain/generated-secret.js';
import type { Subscription } from '../domain/subscription.js';
import { changedSettings, DEFAULT_SETTINGS, type SettingsChange } from '../domain/subscription-settings.js';
import { AuditTrail } from './ports/audit-trail.js';
import { SecretVault } from './ports/secret-vault.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TargetPolicy } from './ports/target-policy.js';
import { TemplateEngine } from './ports/template-engine.js';
import { TenantTransactions } from './ports/transaction.js';
import { VaultSettingsSealing } from './settings-sealing.js';
import { SubscriptionLimits } from './subscription-limits.js';
import {
  auditedEvents,
  auditedFilter,
  auditedSettings,
  descriptionProblem,
  filterProblem,
  noEventsProblem,
  readEvents,
  readTarget,
  requireRoom,
  secretProblem,
  settingProblems,
  templateProblem,
} from './subscription-rules.js';

export interface CreateSubscriptionCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly event?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly url: string;
  readonly secret?: string | undefined;
  /** Null: none. */
  readonly description?: string | null | undefined;
  /** JSON text; null: every payload. */
  readonly filter?: string | null | undefined;
  readonly settings?: SettingsChange | undefined;
}

export interface CreatedSubscription {
  readonly subscription: Subscription;
  /** Present only when the tenant gave no secret: the one time that it is shown. */
  readonly generatedSecret: string | null;
}

@Injectable()
export class CreateSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly trail: AuditTrail,
    private readonly vault: SecretVault,
    private readonly targets: TargetPolicy,
    private readonly templates: TemplateEngine,
    private readonly ids: IdGenerator,
    private readonly limits: SubscriptionLimits,
  ) {}

  /** @throws InvalidInputError with every problem; WebhookError `duplicate_subscription` or `too_many_subscriptions`. */
  async execute(command: CreateSubscriptionCommand): Promise<CreatedSubscription> {
    const { events, problems: eventProblems } = readEvents(command);
    const target = readTarget(command.url, this.targets);
    const problems: InputProblem[] = [
      ...noEventsProblem(command),
      ...eventProblems,
      ...target.problems,
      ...(command.secret === undefined ? [] : secretProblem(command.secret)),
      ...descriptionProblem(command.description),
      ...filterProblem(command.filter),
      ...settingProblems(command.settings),
      ...(await templateProblem(command.settings, this.templates)),
    ];
    if (problems.length > 0) throw new InvalidInputError(problems);

    const id = this.ids.next();
    const secret = command.secret ?? generateSecret();
    const sealedSecret = this.vault.seal(new SecretText(secret), {
      tenantId: command.tenantId,
      subscriptionId: id,
      purpose: 'signing',
    });
    const subscription = await this.transactions.run(command.tenantId, async (transaction) => {
      const inserted = await this.subscriptions.insert(transaction, {
        id,
        tenantId: command.tenantId,
        events,
        url: target.text,
        sealedSecret,
        description: command.description ?? null,
        filter: command.filter ?? null,
        settings: changedSettings(
          DEFAULT_SETTINGS,
          command.settings ?? {},
          new VaultSettingsSealing(this.vault, { tenantId: command.tenantId, subscriptionId: id }),
        ),
      });
      await requireRoom(transaction, this.subscriptions, this.limits);
      await this.trail.record(transaction, {
        tenantId: command.tenantId,
        actor: command.actor,
        action: 'subscription.created',
        resourceType: 'subscription',
        resourceId: id,
        details: {
          ...auditedEvents(events),
          url: auditedUrl(target.text),
          ...(command.description == null ? {} : { description: command.description }),
          ...(command.filter == null ? {} : auditedFilter(command.filter)),
          ...auditedSettings(command.settings),
        },
      });
      return inserted;
    });
    return { subscription, generatedSecret: command.secret === undefined ? secret : null };
  }
}
