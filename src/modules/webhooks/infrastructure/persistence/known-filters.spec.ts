import { beforeEach, describe, expect, it } from '@jest/globals';

import { RecordingLogger } from '../../testing/recording-logger.js';
import { KnownFilters, type Judgements, type ListeningFilter, type Undecided } from './known-filters.js';

type Stored = { readonly kind: 'stored' };

const filter = (id: string, text: string, key = '1'): ListeningFilter => ({ subscriptionId: id, key, text });

describe('KnownFilters', () => {
  let logger: RecordingLogger;
  let known: KnownFilters;
  let asked: (Judgements | null)[];
  let listening: ListeningFilter[];

  beforeEach(() => {
    logger = new RecordingLogger();
    known = new KnownFilters(logger);
    asked = [];
    listening = [];
  });

  /** As the functions of the database answer. */
  const store = async (judgements: Judgements | null): Promise<Stored | Undecided> => {
    asked.push(judgements);
    const isJudged = listening.every(
      ({ subscriptionId, key }) =>
        judgements?.[subscriptionId]?.slice(1) === key || judgements?.['*'] === '+',
    );
    return Promise.resolve(isJudged ? { kind: 'stored' } : { kind: 'undecided', filters: listening });
  };
  const emit = async (n = 1, event = 'thing.done'): Promise<Stored> =>
    known.decide({ tenantId: 'acme', event, payload: `{"n":${n}}` }, store);

  it('asks once where there are none', async () => {
    expect(await emit()).toEqual({ kind: 'stored' });
    expect(asked).toEqual([null]);
  });

  // Red when nothing is remembered: two statements for each event of a tenant with filters.
  it('asks twice for filters that are new, and then once', async () => {
    listening = [filter('a', '{"n":1}'), filter('b', '{"n":2}')];
    await emit(1);
    await emit(2);
    await emit(3);
    expect(asked).toEqual([null, { a: '+1', b: '-1' }, { a: '-1', b: '+1' }, { a: '-1', b: '-1' }]);
    await emit(1, 'other.event');
    expect(asked.slice(4)).toEqual([null, { a: '+1', b: '-1' }]);
  });

  it('asks again when one has changed, came or went', async () => {
    listening = [filter('a', '{"n":1}')];
    await emit(2);
    listening = [filter('a', '{"n":2}', '2'), filter('b', '{}')];
    await emit(2);
    expect(asked).toEqual([null, { a: '-1' }, { a: '-1' }, { a: '+2', b: '+1' }]);
    listening = [];
    await emit(2);
    expect(asked.slice(4)).toEqual([{ a: '+2', b: '+1' }]);
  });

  it('asks for what is remembered after a thousand events', async () => {
    listening = [filter('a', '{"n":1}')];
    for (let n = 0; n < 1_001; n += 1) await emit(2);
    expect(asked.filter((one) => one === null)).toHaveLength(1);
    listening = [];
    await emit(2);
    expect(asked.at(-1)).toBeNull();
  });

  // Red when it goes on asking: a tenant that edits its filters could keep a transaction open.
  it('lets pass what is undecided a third time', async () => {
    let version = 1;
    const changing = async (judgements: Judgements | null): Promise<Stored | Undecided> => {
      listening = [filter('a', '{"n":9}', String((version += 1)))];
      return store(judgements);
    };
    const event = { tenantId: 'acme', event: 'thing.done', payload: '{"n":1}' };
    expect(await known.decide(event, changing)).toEqual({ kind: 'stored' });
    expect(asked).toEqual([null, { a: '-2' }, { a: '-3' }, { a: '-4', '*': '+' }]);
  });

  it('says once which filter it cannot evaluate, and sends the event', async () => {
    listening = [filter('a', '{"n":{"$of_a_version_to_come":1}}')];
    await emit();
    await emit();
    expect(asked.at(-1)).toEqual({ a: '+1' });
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'Webhook filter not evaluated, its event is sent: a (it cannot be read)',
    ]);
  });

  it('lets others of the process go on while it judges much', async () => {
    const slow = `{"a":[${'1,'.repeat(40_000)}1]}`;
    listening = Array.from({ length: 12 }, (_unused, n) => filter(`s${n}`, `{"a":-${n + 1}}`));
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await known.decide({ tenantId: 'acme', event: 'thing.done', payload: slow }, store);
    isDone = true;
    expect(turns).toBeGreaterThan(2);
  });
});
