import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, it } from '@jest/globals';

import { parseInstant } from './instant.js';

describe('parseInstant', () => {
  it.each([
    ['2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['2026-11-24T09:00:00Z', '2026-11-24T09:00:00.000Z'],
    ['2026-11-24t09:00:00z', '2026-11-24T09:00:00.000Z'],
    ['2026-11-24T09:00:00.123456+01:30', '2026-11-24T07:30:00.123Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-11-24T09:00:00', '2026-11-24T09:00:00.000Z'],
    ['2026-11-24T09:00:00.5', '2026-11-24T09:00:00.500Z'],
    ['2026-11-24T09:00:00.1234567890123Z', '2026-11-24T09:00:00.123Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['2026-11-24T00:00:00-00:00', '2026-11-24T00:00:00.000Z'],
    ['0000-01-01', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999-23:59', '9999-12-31T23:59:59.999Z'],
  ])('reads %s', (text, instant) => {
    expect(parseInstant(text)?.toISOString()).toBe(instant);
  });

  it.each([
    '',
    'now',
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2025-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-W01',
    '2026-11',
    '20261124',
    '2026-W10',
    '20261101T000000Z',
    '2026-11-01T10',
    '2026-11-24T09:00:00\u0000',
    '2026-11-24T09:00Z',
    '2026-11-24T24:00:00Z',
    '2026-11-24T09:00:61Z',
    '2026-11-24T09:00:00.Z',
    '2026-11-24T09:00:00+24:00',
    '2026-11-24 09:00:00Z',
    '2026-11-24T09:00:00 01:00',
    '1764000000',
    '+275760-09-13T00:00:00Z',
  ])('refuses %j', (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  // Red when `new Date` reads the text itself. In a process of its own: a zone is a process's.
  it('takes a time without an offset for one of UTC, wherever the server stands', () => {
    const hooks = pathToFileURL(join(import.meta.dirname, '../../../test/support/ts-hooks.mjs'));
    const source = pathToFileURL(join(import.meta.dirname, 'instant.ts'));
    const script = `
      (await import('node:module')).register(${JSON.stringify(hooks)});
      const { parseInstant } = await import(${JSON.stringify(source)});
      const texts = ['2026-07-01T09:00:00', '2026-07-01'];
      console.log(texts.map((text) => parseInstant(text).toISOString()).join(' '), new Date(0).getHours());`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ: 'Asia/Tokyo' },
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe('2026-07-01T09:00:00.000Z 2026-07-01T00:00:00.000Z 9');
  });
});
