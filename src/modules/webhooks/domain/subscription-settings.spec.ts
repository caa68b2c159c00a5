import { describe, expect, it } from '@jest/globals';

import {
  changedSettings,
  DEFAULT_SETTINGS,
  fromStoredSettings,
  settingsProblems,
  toStoredSettings,
  type SettingsChange,
  type SettingsSealing,
  type SubscriptionSettings,
} from './subscription-settings.js';

const SET: SubscriptionSettings = {
  retrySchedule: [5, 60],
  timeoutSeconds: 20,
  rateLimit: { max: 5, perSeconds: 1 },
  batch: { maxEvents: 50, maxWaitMs: 2_000 },
  ordering: 'fifo',
  circuit: { failures: 5, percent: 50, minAttempts: 100 },
  template: 'thin',
  headers: [
    { name: 'X-B', value: 'b' },
    { name: 'X-A', value: 'a' },
    { name: 'Authorization', value: null },
  ],
  sealedHeaders: 'sealed',
  signature: { scheme: 'v1a', alg: 'ES256', ttlSeconds: 60 },
  publicKey: 'whpk_1',
  sealedKey: 'sealed key',
  sealedPreviousKey: 'sealed previous key',
};

/** Says what was asked of it. */
const SEALING: SettingsSealing = {
  signature: ({ scheme = 'hmac' }, { publicKey }) => ({
    signature: { ...DEFAULT_SETTINGS.signature, scheme },
    publicKey: `after ${publicKey}`,
    sealedKey: null,
    sealedPreviousKey: null,
  }),
  headers: (wish, { sealedHeaders }) => ({
    headers: Object.entries(wish).map(([name, value]) => ({ name, value })),
    sealedHeaders: `after ${sealedHeaders}`,
  }),
};

describe('changedSettings', () => {
  it.each<[SettingsChange, SubscriptionSettings]>([
    [{}, SET],
    [{ retrySchedule: undefined }, SET],
    [{ timeoutSeconds: 1 }, { ...SET, timeoutSeconds: 1 }],
    [{ timeoutSeconds: null }, { ...SET, timeoutSeconds: null }],
    [{ retrySchedule: null }, { ...SET, retrySchedule: 'default' }],
    [{ rateLimit: null }, { ...SET, rateLimit: null }],
    [{ circuit: null }, { ...SET, circuit: DEFAULT_SETTINGS.circuit }],
    [{ circuit: { percent: 90 } }, { ...SET, circuit: { ...DEFAULT_SETTINGS.circuit, percent: 90 } }],
    [{ rateLimit: { max: 1, perSeconds: 60 } }, { ...SET, rateLimit: { max: 1, perSeconds: 60 } }],
    [{ retrySchedule: [] }, { ...SET, retrySchedule: [] }],
    [{ retrySchedule: 'standard' }, { ...SET, retrySchedule: 'standard' }],
    [
      { headers: { 'X-C': 'c' } },
      { ...SET, headers: [{ name: 'X-C', value: 'c' }], sealedHeaders: 'after sealed' },
    ],
    [
      { signature: { scheme: 'jwt' } },
      {
        ...SET,
        signature: { scheme: 'jwt', alg: 'EdDSA', ttlSeconds: 300 },
        ...{ publicKey: 'after whpk_1', sealedKey: null, sealedPreviousKey: null },
      },
    ],
    [
      { signature: null },
      {
        ...SET,
        signature: { scheme: 'hmac', alg: 'EdDSA', ttlSeconds: 300 },
        ...{ publicKey: 'after whpk_1', sealedKey: null, sealedPreviousKey: null },
      },
    ],
    [{ template: 'cloudevents' }, { ...SET, template: 'cloudevents' }],
    [{ template: { jsonata: '$' } }, { ...SET, template: { jsonata: '$' } }],
    [{ template: null }, { ...SET, template: 'raw' }],
    [{ headers: null }, { ...SET, headers: [], sealedHeaders: 'after sealed' }],
  ])('%j: absent keeps, null is the default', (change, settings) => {
    expect(changedSettings(SET, change, SEALING)).toEqual(settings);
  });
});

describe('settingsProblems', () => {
  it.each([1, 10, 30])('takes %d s as a time budget', (timeoutSeconds) => {
    expect(settingsProblems({ timeoutSeconds })).toEqual([]);
  });

  it.each([0, -1, 31, 1.5, NaN])('refuses %d s, and names every other problem too', (timeoutSeconds) => {
    expect(
      settingsProblems({
        timeoutSeconds,
        retrySchedule: [0],
        headers: { Host: 'x' },
        signature: { alg: 'none' },
      } as object),
    ).toEqual([
      { path: ['retry_schedule', 0], msg: 'retry_schedule[0] must be an integer from 1 to 86400' },
      { path: ['timeout_seconds'], msg: 'timeout_seconds must be an integer from 1 to 30' },
      { path: ['headers', 'Host'], msg: 'Reserved header' },
      { path: ['signature', 'alg'], msg: 'signature.alg must be one of EdDSA, ES256, HS256' },
    ]);
  });
});

describe('the stored form', () => {
  it.each<SubscriptionSettings>([
    SET,
    DEFAULT_SETTINGS,
    { ...SET, retrySchedule: 'standard', template: { jsonata: '$' } },
  ])('gives %j back', (settings) => {
    expect(fromStoredSettings(toStoredSettings(settings))).toEqual(settings);
  });

  it('is nothing when everything is as it is by default', () => {
    expect(toStoredSettings(DEFAULT_SETTINGS)).toBeNull();
  });
});
