import { describe, expect, it } from '@jest/globals';

import {
  changedSettings,
  DEFAULT_SETTINGS,
  fromStoredSettings,
  toStoredSettings,
  type SettingsChange,
  type SubscriptionSettings,
} from './subscription-settings.js';

const SET: SubscriptionSettings = { retrySchedule: [5, 60] };

describe('changedSettings', () => {
  it.each<[SettingsChange, SubscriptionSettings]>([
    [{}, SET],
    [{ retrySchedule: undefined }, SET],
    [{ retrySchedule: null }, { ...SET, retrySchedule: 'default' }],
    [{ retrySchedule: [] }, { ...SET, retrySchedule: [] }],
    [{ retrySchedule: 'standard' }, { ...SET, retrySchedule: 'standard' }],
  ])('%j: absent keeps, null is the default', (change, settings) => {
    expect(changedSettings(SET, change)).toEqual(settings);
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
