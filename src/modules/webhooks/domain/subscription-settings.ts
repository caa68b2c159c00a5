import { integerProblems, type FieldProblem } from '../../../platform/kernel/field-problem.js';
import { rateLimitProblems, type RateLimit } from './gates/rate-limit.js';
import { retryScheduleProblems, type RetrySchedule } from './retry-schedule.js';

/** What a subscription asks for beside its event and its target. */
export interface SubscriptionSettings {
  readonly retrySchedule: RetrySchedule;
  /** Total budget of one attempt; null: as the service is set up. */
  readonly timeoutSeconds: number | null;
  /** Requests that the endpoint gets at most; null: as many as it answers. */
  readonly rateLimit: RateLimit | null;
}

export const DEFAULT_SETTINGS: SubscriptionSettings = {
  retrySchedule: 'default',
  timeoutSeconds: null,
  rateLimit: null,
};

/** Bounds of a time budget. Longer ones would keep places from others, and a process from stopping. */
export const MIN_TIMEOUT_SECONDS = 1;
export const MAX_TIMEOUT_SECONDS = 30;

/** Undefined fields stay as they are, null ones go back to their default. */
export interface SettingsChange {
  readonly retrySchedule?: RetrySchedule | null | undefined;
  readonly timeoutSeconds?: number | null | undefined;
  readonly rateLimit?: RateLimit | null | undefined;
}

/** The form in which they are stored and handed to attempts: only what differs from the default. */
export interface StoredSettings {
  readonly retry_schedule?: Exclude<RetrySchedule, 'default'>;
  readonly timeout_seconds?: number;
  readonly rate_limit?: { readonly max: number; readonly per_seconds: number };
}

/** Every problem of a change, by the names of the API. */
export function settingsProblems({
  retrySchedule,
  timeoutSeconds,
  rateLimit,
}: SettingsChange): FieldProblem[] {
  return [
    ...(retrySchedule == null ? [] : retryScheduleProblems(retrySchedule, ['retry_schedule'])),
    ...(timeoutSeconds == null ? [] : timeoutProblems(timeoutSeconds, ['timeout_seconds'])),
    ...(rateLimit == null ? [] : rateLimitProblems(toStoredRate(rateLimit), ['rate_limit'])),
  ];
}

/** Checks what somebody wants as a time budget. */
export function timeoutProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  return integerProblems(value, path, MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS);
}

/** The settings after a change. */
export function changedSettings(
  { retrySchedule, timeoutSeconds, rateLimit }: SubscriptionSettings,
  change: SettingsChange,
): SubscriptionSettings {
  return {
    retrySchedule: changed(retrySchedule, change.retrySchedule, DEFAULT_SETTINGS.retrySchedule),
    timeoutSeconds: changed(timeoutSeconds, change.timeoutSeconds, DEFAULT_SETTINGS.timeoutSeconds),
    rateLimit: changed(rateLimit, change.rateLimit, DEFAULT_SETTINGS.rateLimit),
  };
}

function changed<T>(current: T, wanted: T | null | undefined, fallback: T): T {
  return wanted === undefined ? current : (wanted ?? fallback);
}

/** @returns null when everything is as it is by default */
export function toStoredSettings({
  retrySchedule,
  timeoutSeconds,
  rateLimit,
}: SubscriptionSettings): StoredSettings | null {
  const stored: StoredSettings = {
    ...(retrySchedule === 'default' ? {} : { retry_schedule: retrySchedule }),
    ...(timeoutSeconds === null ? {} : { timeout_seconds: timeoutSeconds }),
    ...(rateLimit === null ? {} : { rate_limit: toStoredRate(rateLimit) }),
  };
  return Object.keys(stored).length === 0 ? null : stored;
}

export function fromStoredSettings(stored: StoredSettings | null): SubscriptionSettings {
  return {
    retrySchedule: stored?.retry_schedule ?? DEFAULT_SETTINGS.retrySchedule,
    timeoutSeconds: stored?.timeout_seconds ?? DEFAULT_SETTINGS.timeoutSeconds,
    rateLimit: stored?.rate_limit === undefined ? null : fromStoredRate(stored.rate_limit),
  };
}

type StoredRate = NonNullable<StoredSettings['rate_limit']>;

export function toStoredRate({ max, perSeconds }: RateLimit): StoredRate {
  return { max, per_seconds: perSeconds };
}

export function fromStoredRate({ max, per_seconds: perSeconds }: StoredRate): RateLimit {
  return { max, perSeconds };
}
