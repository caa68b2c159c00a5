import { describe, expect, it } from '@jest/globals';

import { eventsProblems, isContradictory, wantedEvents } from './subscribed-events.js';

const found = (events: unknown): [string, string][] =>
  eventsProblems(events, ['events']).map(({ path, msg }) => [path.join('/'), msg.slice(0, 40)]);

describe('eventsProblems', () => {
  it.each([[['a.b']], [[' A.B ', 'a.*', '*']], [Array.from({ length: 50 }, (_, n) => `e${n}`)]])(
    'takes %j',
    (events) => {
      expect(found(events)).toEqual([]);
    },
  );

  it.each([[[]], ['a.b'], [{ 0: 'a.b' }], [Array.from({ length: 51 }, (_, n) => `e${n}`)]])(
    'refuses %j as a whole',
    (events) => {
      expect(found(events)).toEqual([['events', 'events must be a list of 1 to 50 events']]);
    },
  );

  it('says which of them is wrong, and why', () => {
    expect(found(['a.b', 'a b', 5, null, ''])).toEqual([
      ['events/1', 'Event must be segments of a-z, 0-9 and _'],
      ['events/2', 'Event must be a string'],
      ['events/3', 'Event must be a string'],
      ['events/4', 'Event must not be empty'],
    ]);
  });
});

describe('wantedEvents', () => {
  it.each([
    [{}, []],
    [{ event: ' A.B ' }, ['a.b']],
    [{ events: ['b.*', 'A', 'a', 'b.*'] }, ['b.*', 'a']],
    [{ event: 'b', events: ['b', 'a'] }, ['b', 'a']],
  ])('of %j are %j', (wish, events) => {
    expect(wantedEvents(wish)).toEqual(events);
  });
});

describe('isContradictory', () => {
  it.each([
    [{ event: 'a' }, false],
    [{ events: ['a'] }, false],
    [{ event: ' A ', events: ['a', 'b'] }, false],
    [{ event: 'b', events: ['a', 'b'] }, true],
    [{ event: 'b', events: [] }, true],
  ])('%j: %s', (wish, isSo) => {
    expect(isContradictory(wish)).toBe(isSo);
  });
});
