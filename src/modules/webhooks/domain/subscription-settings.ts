import type { FieldProblem } from '../../../platform/kernel/field-problem.js';
import { retryScheduleProblems, type RetrySchedule } from './retry-schedule.js';

/** What a subscription asks for beside its event and its target. */
export interface SubscriptionSettings {
  readonly retrySchedule: RetrySchedule;
}

export const DEFAULT_SETTINGS: SubscriptionSettings = { retrySchedule: 'default' };

/** Undefined fields stay as they are, null ones go back to their default. */
export interface SettingsChange {
  readonly retrySchedule?: RetrySchedule | null | undefined;
}

/** The form in which they are stored and handed to attempts: only what differs from the default. */
export interface StoredSettings {
  readonly retry_schedule?: Exclude<RetrySchedule, 'default'>;
}

/** Every problem of a change, by the names of the API. */
export function settingsProblems({ retrySchedule }: SettingsChange): FieldProblem[] {
  return retrySchedule == null ? [] : retryScheduleProblems(retrySchedule, ['retry_schedule']);
}

/** The settings after a change. */
export function changedSettings(
  { retrySchedule }: SubscriptionSettings,
  change: SettingsChange,
): SubscriptionSettings {
  return { retrySchedule: changed(retrySchedule, change.retrySchedule, DEFAULT_SETTINGS.retrySchedule) };
}

function changed<T>(current: T, wanted: T | null | undefined, fallback: T): T {
  return wanted === undefined ? current : (wanted ?? fallback);
}

/** @returns null when everything is as it is by default */
export function toStoredSettings({ retrySchedule }: SubscriptionSettings): StoredSettings | null {
  const stored: StoredSettings = {
    ...(retrySchedule === 'default' ? {} : { retry_schedule: retrySchedule }),
  };
  return Object.keys(stored).length === 0 ? null : stored;
}

export function fromStoredSettings(stored: StoredSettings | null): SubscriptionSettings {
  return { retrySchedule: stored?.retry_schedule ?? DEFAULT_SETTINGS.retrySchedule };
}
