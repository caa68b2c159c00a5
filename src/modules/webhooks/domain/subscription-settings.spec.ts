import { describe, expect, it } from '@jest/globals';

import {
  changedSettings,
  DEFAULT_SETTINGS,
  fromStoredSettings,
  settingsProblems,
  toStoredSettings,
  type SettingsChange,
  type SubscriptionSettings,
} from './subscription-settings.js';

const SET: SubscriptionSettings = {
  ...{ retrySchedule: [5, 60], timeoutSeconds: 20 },
  rateLimit: { max: 5, perSeconds: 1 },
};

describe('changedSettings', () => {
  it.each<[SettingsChange, SubscriptionSettings]>([
    [{}, SET],
    [{ retrySchedule: undefined }, SET],
    [{ timeoutSeconds: 1 }, { ...SET, timeoutSeconds: 1 }],
    [{ timeoutSeconds: null }, { ...SET, timeoutSeconds: null }],
    [{ retrySchedule: null }, { ...SET, retrySchedule: 'default' }],
    [{ rateLimit: null }, { ...SET, rateLimit: null }],
    [{ rateLimit: { max: 1, perSeconds: 60 } }, { ...SET, rateLimit: { max: 1, perSeconds: 60 } }],
    [{ retrySchedule: [] }, { ...SET, retrySchedule: [] }],
    [{ retrySchedule: 'standard' }, { ...SET, retrySchedule: 'standard' }],
  ])('%j: absent keeps, null is the default', (change, settings) => {
    expect(changedSettings(SET, change)).toEqual(settings);
  });
});

describe('settingsProblems', () => {
  it.each([1, 10, 30])('takes %d s as a time budget', (timeoutSeconds) => {
    expect(settingsProblems({ timeoutSeconds })).toEqual([]);
  });

  it.each([0, -1, 31, 1.5, NaN])('refuses %d s, and names every other problem too', (timeoutSeconds) => {
    expect(settingsProblems({ timeoutSeconds, retrySchedule: [0] })).toEqual([
      { path: ['retry_schedule', 0], msg: 'retry_schedule[0] must be an integer from 1 to 86400' },
      { path: ['timeout_seconds'], msg: 'timeout_seconds must be an integer from 1 to 30' },
    ]);
  });
});

describe('the stored form', () => {
  it.each<SubscriptionSettings>([SET, DEFAULT_SETTINGS, { ...SET, retrySchedule: 'standard' }])(
    'gives %j back',
    (settings) => {
      expect(fromStoredSettings(toStoredSettings(settings))).toEqual(settings);
    },
  );

  it('is nothing when everything is as it is by default', () => {
    expect(toStoredSettings(DEFAULT_SETTINGS)).toBeNull();
  });
});
