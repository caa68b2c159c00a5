import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { InvalidInputError, type InputProblem } from '../../../platform/kernel/domain-error.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { auditedUrl, type AuditDetails } from '../domain/audit.js';
import { WebhookError } from '../domain/errors.js';
import { disabledReason, type Subscription } from '../domain/subscription.js';
import { changedSettings, type SettingsChange } from '../domain/subscription-settings.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneCircuits } from './ports/lane-circuits.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SecretVault } from './ports/secret-vault.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TargetPolicy } from './ports/target-policy.js';
import { TemplateEngine } from './ports/template-engine.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';
import { VaultSettingsSealing } from './settings-sealing.js';
import { SubscriptionLimits } from './subscription-limits.js';
import {
  auditedEvents,
  auditedFilter,
  auditedSettings,
  descriptionProblem,
  filterProblem,
  readEvents,
  readTarget,
  requireRoom,
  secretProblem,
  settingProblems,
  templateProblem,
} from './subscription-rules.js';

/** Undefined fields stay as they are. */
export interface UpdateSubscriptionCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
  /** As `events` with this one alone. */
  readonly event?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly url?: string | undefined;
  readonly secret?: string | undefined;
  /** Null: none. */
  readonly description?: string | null | undefined;
  /** JSON text; null: every payload. */
  readonly filter?: string | null | undefined;
  readonly active?: boolean | undefined;
  readonly settings?: SettingsChange | undefined;
}

@Injectable()
export class UpdateSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly circuits: LaneCircuits,
    private readonly trail: AuditTrail,
    private readonly vault: SecretVault,
    private readonly targets: TargetPolicy,
    private readonly templates: TemplateEngine,
    private readonly dispatcher: LaneDispatcher,
    private readonly limits: SubscriptionLimits,
  ) {}

  /** @throws InvalidInputError; WebhookError `subscription_not_found`, `duplicate_subscription` or `too_many_subscriptions`. */
  async execute(command: UpdateSubscriptionCommand): Promise<Subscription> {
    const { events, problems: eventProblems } = readEvents(command);
    const target = command.url === undefined ? undefined : readTarget(command.url, this.targets);
    const problems: InputProblem[] = [
      ...eventProblems,
      ...(target?.problems ?? []),
      ...(command.secret === undefined ? [] : secretProblem(command.secret)),
      ...descriptionProblem(command.description),
      ...filterProblem(command.filter),
      ...settingProblems(command.settings),
      ...(await templateProblem(command.settings, this.templates)),
    ];
    if (problems.length > 0) throw new InvalidInputError(problems);

    const { settings } = command;
    const sealing = new VaultSettingsSealing(this.vault, {
      tenantId: command.tenantId,
      subscriptionId: command.id,
    });
    const { updated, hasTurned } = await this.transactions.run(command.tenantId, async (transaction) => {
      const before = await this.subscriptions.find(transaction, command.id);
      if (before === null) throw new WebhookError('subscription_not_found');
      const turned = await this.turnCircuit(transaction, before, { ...command, url: target?.text });
      const changed = await this.subscriptions.update(transaction, command.id, {
        events: events.length === 0 ? undefined : events,
        url: target?.text,
        active: command.active,
        description: command.description,
        filter: command.filter,
        settings:
          settings === undefined ? undefined : (current) => changedSettings(current, settings, sealing),
        sealedSecret: command.secret === undefined ? undefined : this.seal(command, command.secret),
      });
      if (changed === null) throw new WebhookError('subscription_not_found');
      if (command.active === true) await requireRoom(transaction, this.subscriptions, this.limits);
      await this.trail.record(transaction, {
        tenantId: command.tenantId,
        actor: command.actor,
        action: 'subscription.updated',
        resourceType: 'subscription',
        resourceId: command.id,
        details: changesOf({ ...command, url: target?.text }, events),
      });
      return { updated: changed, hasTurned: turned };
    });
    // Settings say when what waits may go: it need not wait for what they were.
    if ((hasTurned || settings !== undefined) && updated.active)
      this.dispatcher.ring([{ tenantId: command.tenantId, subscriptionId: command.id }]);
    return updated;
  }

  /** Before the subscription itself: whoever settles locks the lane first as well. */
  private async turnCircuit(
    transaction: Transaction,
    before: Subscription,
    command: UpdateSubscriptionCommand,
  ): Promise<boolean> {
    const { id, url, active, secret, settings } = command;
    const isActivated = active === true && !before.active;
    // Another target: nothing is known of it.
    if (url !== undefined && url !== before.url)
      return this.circuits.reset(transaction, id, 'The URL was replaced');
    if (isActivated && disabledReason(before) === 'failing') return this.circuits.probeFirst(transaction, id);
    if (isActivated) return this.circuits.reset(transaction, id, 'Activated again');
    // What was refused may be taken now.
    return secret !== undefined || settings !== undefined ? this.circuits.probeSoon(transaction, id) : false;
  }

  private seal(command: UpdateSubscriptionCommand, secret: string): string {
    return this.vault.seal(new SecretText(secret), {
      tenantId: command.tenantId,
      subscriptionId: command.id,
      purpose: 'signing',
    });
  }
}

/** The new values, and of the secret only that it was replaced. */
function changesOf(
  { url, secret, description, filter, active, settings }: UpdateSubscriptionCommand,
  events: readonly string[],
): AuditDetails {
  return {
    ...(events.length === 0 ? {} : auditedEvents(events)),
    ...(url === undefined ? {} : { url: auditedUrl(url) }),
    ...(active === undefined ? {} : { active }),
    ...(secret === undefined ? {} : { secret_replaced: true }),
    ...(description === undefined ? {} : { description: description ?? '' }),
    ...auditedFilter(filter),
    ...auditedSettings(settings),
  };
}
