import type { InputProblem } from '../../../platform/kernel/domain-error.js';
import type { FieldProblem } from '../../../platform/kernel/field-problem.js';
import type { AuditDetails } from '../domain/audit.js';
import type { Batch } from '../domain/batch.js';
import { descriptionProblems } from '../domain/description.js';
import { parseEventPattern } from '../domain/event-name.js';
import { filterProblems } from '../domain/payload-filter/payload-filter.js';
import { wantedCircuit, type CircuitWish } from '../domain/gates/circuit-rule.js';
import type { RateLimit } from '../domain/gates/rate-limit.js';
import { overlapProblem } from '../domain/secret-rotation.js';
import {
  EVENT_OR_EVENTS,
  eventsProblems,
  isContradictory,
  wantedEvents,
  type EventsWish,
} from '../domain/subscribed-events.js';
import { DEFAULT_ORDERING } from '../domain/ordering.js';
import { wantedSignature, type SignatureWish } from '../domain/signature-scheme.js';
import { checkSecret } from '../domain/subscription.js';
import { settingsProblems, type SettingsChange } from '../domain/subscription-settings.js';
import { DEFAULT_TEMPLATE, type Template } from '../domain/template.js';
import { WebhookError } from '../domain/errors.js';
import type { SubscriptionRepository } from './ports/subscription-repository.js';
import type { TemplateEngine } from './ports/template-engine.js';
import type { TargetPolicy } from './ports/target-policy.js';
import type { Transaction } from './ports/transaction.js';
import type { SubscriptionLimits } from './subscription-limits.js';

/** Reads what a subscription is to listen to; `events` are usable only when there are no problems, empty when none is given. */
export function readEvents(wish: EventsWish): {
  readonly events: readonly string[];
  readonly problems: InputProblem[];
} {
  const { event, events } = wish;
  const parsed = event === undefined ? null : parseEventPattern(event);
  const problems = [
    ...(parsed?.ok === false ? [problem('event', parsed.message)] : []),
    ...(events === undefined ? [] : eventsProblems(events, ['events']).map(ofBody)),
    ...(isContradictory(wish) ? [problem('events', EVENT_OR_EVENTS)] : []),
  ];
  return { events: problems.length > 0 ? [] : wantedEvents(wish), problems };
}

/** The problem of a new subscription that would listen to nothing. */
export function noEventsProblem({ event, events }: EventsWish): InputProblem[] {
  return event === undefined && events === undefined
    ? [{ type: 'missing', loc: ['body', 'event'], msg: EVENT_OR_EVENTS }]
    : [];
}

/** What the trail keeps of them. */
export function auditedEvents(events: readonly string[]): AuditDetails {
  return { event: events[0], ...(events.length > 1 ? { events: events.join(', ') } : {}) };
}

/** Reads a target; `text`, the form in which it is stored, is usable only when there are no problems. */
export function readTarget(
  url: string,
  targets: TargetPolicy,
): { readonly text: string; readonly problems: InputProblem[] } {
  const verdict = targets.check(url);
  return verdict.ok
    ? { text: verdict.text, problems: [] }
    : { text: url, problems: [problem('url', verdict.message)] };
}

export function secretProblem(secret: string): InputProblem[] {
  const wrong = checkSecret(secret);
  return wrong === null ? [] : [problem('secret', wrong.message)];
}

/** Every problem of what is asked for beside event and target. */
export function settingProblems(change: SettingsChange | undefined): InputProblem[] {
  return change === undefined ? [] : settingsProblems(change).map(ofBody);
}

/** What is wrong with an expression that reads well as a field. */
export async function templateProblem(
  change: SettingsChange | undefined,
  engine: TemplateEngine,
): Promise<InputProblem[]> {
  const template = change?.template;
  if (template == null || typeof template === 'string' || settingsProblems({ template }).length > 0)
    return [];
  const wrong = await engine.check(template.jsonata);
  return wrong === null ? [] : [problem('template', `Template: ${wrong}`)];
}

export function descriptionProblem(description: string | null | undefined): InputProblem[] {
  return description == null ? [] : descriptionProblems(description, ['description']).map(ofBody);
}

/** @param filter JSON text */
export function filterProblem(filter: string | null | undefined): InputProblem[] {
  return filter == null ? [] : filterProblems(filter, ['filter']).map(ofBody);
}

function ofBody({ path, msg }: FieldProblem): InputProblem {
  return { type: 'value_error', loc: ['body', ...path], msg };
}

function auditedTemplate(template: Template | null): string {
  return typeof template === 'string' ? template : template === null ? DEFAULT_TEMPLATE : 'jsonata';
}

function auditedSignature(wish: SignatureWish | null): string {
  const { scheme, alg } = wantedSignature(wish ?? {});
  return scheme === 'jwt' ? `jwt ${alg}` : scheme;
}

/** What the trail keeps of a filter: the values in it are of the tenant's payloads. */
export function auditedFilter(filter: string | null | undefined): AuditDetails {
  return filter === undefined ? {} : { filter: filter === null ? 'none' : 'set' };
}

/** What the trail keeps of a change to settings. */
export function auditedSettings({
  retrySchedule,
  timeoutSeconds,
  rateLimit,
  batch,
  ordering,
  circuit,
  template,
  headers,
  signature,
}: SettingsChange = {}): AuditDetails {
  return {
    ...(retrySchedule === undefined ? {} : { retry_schedule: String(retrySchedule ?? 'default') }),
    ...(timeoutSeconds === undefined ? {} : { timeout_seconds: timeoutSeconds ?? 'default' }),
    ...(rateLimit === undefined ? {} : { rate_limit: rateText(rateLimit) }),
    ...(batch === undefined ? {} : { batch: batchText(batch) }),
    ...(ordering === undefined ? {} : { ordering: ordering ?? DEFAULT_ORDERING }),
    ...(circuit === undefined ? {} : { circuit: circuitText(circuit) }),
    ...(template === undefined ? {} : { template: auditedTemplate(template) }),
    ...(signature === undefined ? {} : { signature: auditedSignature(signature) }),
    ...(headers === undefined ? {} : { headers: Object.keys(headers ?? {}).join(', ') }),
  };
}

function rateText(limit: RateLimit | null): string {
  return limit === null ? 'default' : `${limit.max} per ${limit.perSeconds} s`;
}

function batchText(batch: Batch | null): string {
  return batch === null ? 'default' : `${batch.maxEvents} within ${batch.maxWaitMs} ms`;
}

function circuitText(wish: CircuitWish | null): string {
  if (wish === null) return 'default';
  const { failures, percent, minAttempts } = wantedCircuit(wish);
  return `${failures} in a row, or ${percent} % of ${minAttempts}`;
}

export function overlapHoursProblem(hours: number): InputProblem[] {
  const wrong = overlapProblem(hours);
  return wrong === null ? [] : [problem('overlap_hours', wrong)];
}

function problem(field: string, msg: string): InputProblem {
  return { type: 'value_error', loc: ['body', field], msg };
}

/** To be asked after a subscription became active, in the same transaction. @throws WebhookError `too_many_subscriptions` */
export async function requireRoom(
  transaction: Transaction,
  subscriptions: SubscriptionRepository,
  { maxActiveSubscriptions }: SubscriptionLimits,
): Promise<void> {
  if (maxActiveSubscriptions === 0) return;
  if ((await subscriptions.countActive(transaction)) > maxActiveSubscriptions) {
    throw new WebhookError('too_many_subscriptions');
  }
}
