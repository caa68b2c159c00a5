import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

import { nextStep, outcomeOfStatus, parseRetryAfter, probeStep, type SendOutcome } from './retry-policy.js';
import { waitsOf } from './retry-schedule.js';

describe('outcomeOfStatus', () => {
  it.each([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'retryable'],
    [304, 'retryable'],
    [400, 'permanent'],
    [401, 'permanent'],
    [404, 'permanent'],
    [408, 'retryable'],
    [409, 'retryable'],
    [410, 'gone'],
    [422, 'permanent'],
    [425, 'retryable'],
    [429, 'retryable'],
    [500, 'retryable'],
    [503, 'retryable'],
    [599, 'retryable'],
    [999, 'retryable'],
  ])('%d is %s', (status, kind) => {
    expect(outcomeOfStatus(status, 0).kind).toBe(kind);
  });

  it.each([
    [302, 'http_3xx'],
    [429, 'http_4xx'],
    [500, 'http_5xx'],
    [700, 'other'],
  ])('%d has the class %s', (status, errorClass) => {
    expect(outcomeOfStatus(status, 0)).toMatchObject({ errorClass, error: `HTTP ${status}` });
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [null, 0],
    ['', 0],
    ['3', 3_000],
    [' 3 ', 3_000],
    ['-3', 0],
    ['1e3', 0],
    ['soon', 0],
    ['99999999', 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['1.2', 2_000],
    ['0.001', 1_000],
    ['-0.5', 0],
    ['.5', 0],
    ['3, 4', 0],
    ['0x10', 0],
    ['Infinity', 0],
    ['Thursday, 01-Jan-26 00:00:05 GMT', 5_000],
    ['Thu Jan  1 00:00:05 2026', 5_000],
    ['Thu Jan 01 00:00:05 2026', 5_000],
    // 1994, not 2094
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 86_400_000],
    ['Mon, 31 Feb 2026 00:00:00 GMT', 0],
    ['Thu, 01 Jan 2026 25:00:00 GMT', 0],
    ['2026-01-01T00:00:05Z', 0],
    ['2026-01-01', 0],
    ['1 Jan 2026 00:00:05', 0],
    ['Thu, 01 Jan 2026 00:00:05', 0],
    ['tomorrow 5', 0],
  ])('%j waits %d ms', (value, waitMs) => {
    expect(parseRetryAfter(value, now)).toBe(waitMs);
  });

  it('reads dates as UTC in a process whose clock is elsewhere', () => {
    const dates = [
      'Thu, 01 Jan 2026 00:00:05 GMT',
      'Thursday, 01-Jan-26 00:00:05 GMT',
      'Thu Jan  1 00:00:05 2026',
    ];
    // A process of its own: inside Jest, TZ is read once.
    const script = `
      import { register } from 'node:module';
      import { pathToFileURL } from 'node:url';
      const here = pathToFileURL(process.cwd() + '/');
      register('./test/support/ts-hooks.mjs', here);
      const { parseRetryAfter } = await import(new URL('src/modules/webhooks/domain/retry-policy.ts', here));
      console.log(JSON.stringify([new Date(${now}).getTimezoneOffset(), ...${JSON.stringify(dates)}.map((date) => parseRetryAfter(date, ${now}))]));`;
    const answer = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ: 'America/Los_Angeles', NODE_OPTIONS: '' },
      encoding: 'utf8',
    });
    expect(JSON.parse(answer)).toEqual([480, 5_000, 5_000, 5_000]);
  });
});

describe('nextStep', () => {
  const three = waitsOf('default', 3);
  const failing: SendOutcome = outcomeOfStatus(500, 0);
  it.each([
    [1, { status: 'PENDING', lastError: 'HTTP 500', delayMs: 1_000 }],
    [2, { status: 'PENDING', lastError: 'HTTP 500', delayMs: 2_000 }],
    [3, { status: 'PENDING', lastError: 'HTTP 500', delayMs: 4_000 }],
    [4, { status: 'FAILED', lastError: 'HTTP 500', deactivate: false }],
  ])('a 500 on automatic attempt %d of 4', (autoAttempts, step) => {
    expect(nextStep(failing, { trigger: 'auto', autoAttempts }, three)).toEqual(step);
  });

  it('makes no second attempt when retries are switched off', () => {
    expect(nextStep(failing, { trigger: 'auto', autoAttempts: 1 }, waitsOf('default', 0))).toMatchObject({
      status: 'FAILED',
    });
  });

  it('waits at least as long as the receiver asks', () => {
    const busy = outcomeOfStatus(429, 30_000);
    expect(nextStep(busy, { trigger: 'auto', autoAttempts: 1 }, three)).toMatchObject({ delayMs: 30_000 });
  });

  // Red when the wait that was asked for is drawn from, or compared before it is.
  it('never goes before the time that a receiver asked for, whatever is drawn', () => {
    for (const drawn of [0, 0.5, 0.999]) {
      const waits = waitsOf([300], 3, () => drawn);
      const step = nextStep(outcomeOfStatus(503, 300_000), { trigger: 'auto', autoAttempts: 1 }, waits);
      expect(step).toMatchObject({ status: 'PENDING' });
      expect(step.status === 'PENDING' && step.delayMs).toBe(Math.max(300_000, waits.delayMs(1)));
    }
  });

  it('goes on with the automatic attempts that are left after a manual one failed', () => {
    expect(nextStep(failing, { trigger: 'manual', autoAttempts: 1 }, three)).toMatchObject({
      delayMs: 1_000,
    });
    expect(nextStep(failing, { trigger: 'manual', autoAttempts: 4 }, three)).toMatchObject({
      status: 'FAILED',
    });
  });

  it('fails at once on 404, on a blocked target and on 410, which also deactivates', () => {
    const attempt = { trigger: 'auto', autoAttempts: 1 } as const;
    expect(nextStep(outcomeOfStatus(404, 0), attempt, three)).toEqual({
      status: 'FAILED',
      lastError: 'HTTP 404',
      deactivate: false,
    });
    expect(nextStep({ kind: 'blocked', error: 'Blocked target: loopback' }, attempt, three)).toMatchObject({
      status: 'FAILED',
    });
    expect(nextStep(outcomeOfStatus(410, 0), attempt, three)).toMatchObject({
      status: 'FAILED',
      deactivate: true,
    });
  });

  it('delivers on a 2xx', () => {
    expect(nextStep(outcomeOfStatus(204, 0), { trigger: 'auto', autoAttempts: 4 }, three)).toEqual({
      status: 'DELIVERED',
    });
  });
});

describe('probeStep', () => {
  const none = waitsOf([], 3);
  const template: SendOutcome = {
    ...{ kind: 'permanent', error: 'Template error: x', errorClass: 'template_error', statusCode: null },
  };
  const stays = (lastError: string): object => ({ status: 'PENDING', lastError, delayMs: 0, isFree: true });

  // Red when a probe is charged: an outage would use up what is not at fault.
  it.each<[string, SendOutcome, object]>([
    ['500', outcomeOfStatus(500, 0), stays('HTTP 500')],
    ['404', outcomeOfStatus(404, 0), stays('HTTP 404')],
    ['429 with a wait', outcomeOfStatus(429, 30_000), stays('HTTP 429')],
    ['a blocked target', { kind: 'blocked', error: 'Blocked target: x' }, stays('Blocked target: x')],
    ['204', outcomeOfStatus(204, 0), { status: 'DELIVERED' }],
    ['410', outcomeOfStatus(410, 0), { status: 'FAILED', lastError: 'HTTP 410', deactivate: true }],
    ['its template', template, { status: 'FAILED', lastError: 'Template error: x', deactivate: false }],
  ])('after %s', (_what, outcome, step) => {
    expect(probeStep(outcome, { trigger: 'auto', autoAttempts: 9 }, none)).toEqual(step);
  });

  it('is that of any attempt when somebody asked for it', () => {
    const attempt = { trigger: 'manual', autoAttempts: 1 } as const;
    expect(probeStep(outcomeOfStatus(500, 0), attempt, none)).toMatchObject({ status: 'FAILED' });
  });
});
