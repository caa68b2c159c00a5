import { describe, expect, it } from '@jest/globals';

import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeSchemaValidator } from '../testing/fake-schema-validator.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { testSettings } from '../testing/test-settings.js';
import { CheckPayload } from './check-payload.js';
import type { EventValidation } from './delivery-settings.js';

const PROBLEM = { path: ['data', 'lines', 0], msg: 'must be object' };

function checking(eventValidation: EventValidation, found: FakeSchemaValidator['found'] = [PROBLEM]) {
  const validator = new FakeSchemaValidator();
  validator.found = found;
  const [clock, logger] = [new FakeClock(), new RecordingLogger()];
  const settings = testSettings({ eventValidation });
  const checks = new CheckPayload(new EventCatalogue(), validator, settings, clock, logger);
  return { checks, validator, clock, logger };
}

describe('CheckPayload', () => {
  it.each<[EventValidation, string, FakeSchemaValidator['found'], number, string[]]>([
    ['off', 'invoice.paid', [PROBLEM], 0, []],
    ['warn', 'invoice.paid', [], 0, []],
    [
      ...(['warn', 'invoice.paid', [PROBLEM], 0] as const),
      ['Webhook event does not fit its schema: invoice.paid (data.lines[0] must be object)'],
    ],
    ['warn', 'made.up', [PROBLEM], 0, []],
    ['reject', 'invoice.paid', [PROBLEM], 1, []],
    ['reject', 'invoice.paid', [], 0, []],
    ['reject', 'made.up', [PROBLEM], 0, []],
    // What cannot be judged passes, whatever is wanted.
    ...(['warn', 'reject'] as const).map((mode): [EventValidation, string, Error, number, string[]] => [
      ...([mode, 'invoice.paid', new RangeError('too deep'), 0] as const),
      ['Webhook event could not be held against its schema: invoice.paid'],
    ]),
  ])('%s: %s with %j', (mode, event, found, refused, lines) => {
    const { checks, logger } = checking(mode, found);
    expect(checks.execute(event, '{}')).toHaveLength(refused);
    expect(logger.messages('warn')).toEqual(lines);
  });

  it('reads schemas at the start where they are wanted, and no others', async () => {
    for (const [mode, count] of [
      ['off', null],
      ['warn', new EventCatalogue().all().length],
    ] as const) {
      const { checks, validator } = checking(mode);
      await checks.onModuleInit();
      expect(validator.prepared?.length ?? null).toBe(count);
    }
  });

  it('says it once a minute for a type, however many events do not fit', () => {
    const { checks, clock, logger } = checking('warn');
    for (let n = 0; n < 50; n += 1) checks.execute('invoice.paid', '{}');
    checks.execute('invoice.sent', '{}');
    expect(logger.lines).toHaveLength(2);
    clock.advance(60_000);
    checks.execute('invoice.paid', '{}');
    expect(logger.lines.at(-1)?.fields).toEqual({ othersSinceTheLast: 49 });
  });

  it('names a few of many problems, and cuts the names that a payload brings', () => {
    const problems = Array.from({ length: 9 }, () => ({ path: ['x'.repeat(5_000)], msg: 'is wrong' }));
    const { checks, logger } = checking('warn', problems);
    checks.execute('invoice.paid', '{}');
    expect(logger.messages('warn')[0]).toMatch(/…; and 4 more\)$/);
    expect(logger.messages('warn')[0]!.length).toBeLessThan(1_200);
  });
});
