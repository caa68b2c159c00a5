import { describe, expect, it } from '@jest/globals';

import { retryScheduleProblems, waitsOf, type RetrySchedule } from './retry-schedule.js';

const DAY = 86_400;

describe('waitsOf', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [13, 3_600_000],
    [2_000, 3_600_000],
  ])('default: after automatic attempt %d exactly %d ms, whatever is drawn', (autoAttempts, delayMs) => {
    for (const drawn of [0, 0.999]) {
      expect(waitsOf('default', 3, () => drawn).delayMs(autoAttempts)).toBe(delayMs);
    }
  });

  it.each<[RetrySchedule, number]>([
    ['default', 3],
    ['standard', 9],
    [[], 0],
    [[1], 1],
    [Array<number>(20).fill(60), 20],
  ])('%j allows %d retries', (schedule, retries) => {
    expect(waitsOf(schedule, 3).retries).toBe(retries);
  });

  it.each<[RetrySchedule, number, number, number]>([
    [[10, 60], 1, 0, 8_000],
    [[10, 60], 1, 0.5, 10_000],
    [[10, 60], 1, 0.999_999, 12_000],
    [[10, 60], 2, 0.5, 60_000],
    ['standard', 1, 0.5, 5_000],
    ['standard', 9, 0, 69_120_000],
    // Before the first automatic attempt (a manual one failed), and of a list without waits.
    [[10, 60], 0, 0.5, 10_000],
    [[], 0, 0.5, 1_000],
  ])('%j after automatic attempt %d, drawn %d: %d ms', (schedule, autoAttempts, drawn, delayMs) => {
    expect(waitsOf(schedule, 3, () => drawn).delayMs(autoAttempts)).toBe(delayMs);
  });

  it('spreads over the whole fifth on both sides', () => {
    const drawn = Array.from({ length: 2_000 }, () => waitsOf([100], 3).delayMs(1));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(80_000);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(120_000);
    expect(new Set(drawn).size).toBeGreaterThan(500);
  });
});

describe('retryScheduleProblems', () => {
  const messages = (value: unknown): string[] =>
    retryScheduleProblems(value, ['retry_schedule']).map(({ msg }) => msg);

  it.each([['default'], ['standard'], [[]], [[1, DAY]], [Array<number>(7).fill(DAY)]])(
    'takes %j',
    (schedule) => {
      expect(messages(schedule)).toEqual([]);
    },
  );

  it.each([
    ['fast', 'Retry schedule must be "default", "standard" or a list of seconds'],
    [5, 'Retry schedule must be "default", "standard" or a list of seconds'],
    [{ 0: 1 }, 'Retry schedule must be "default", "standard" or a list of seconds'],
    [Array<number>(21).fill(1), 'Retry schedule must have at most 20 waits'],
    [[...Array<number>(7).fill(DAY), 1], 'Longer than 7 days'],
    [[0], 'retry_schedule[0] must be an integer from 1 to 86400'],
    [[1, DAY + 1], 'retry_schedule[1] must be an integer from 1 to 86400'],
    [[1.5], 'retry_schedule[0] must be an integer from 1 to 86400'],
    [['5'], 'retry_schedule[0] must be an integer from 1 to 86400'],
    [[null], 'retry_schedule[0] must be an integer from 1 to 86400'],
    [[NaN], 'retry_schedule[0] must be an integer from 1 to 86400'],
  ])('refuses %j: %s', (schedule, message) => {
    expect(messages(schedule)).toEqual([message]);
  });

  it('lists every wrong wait, with its place', () => {
    expect(retryScheduleProblems([0, 5, 'x'], ['retry_schedule']).map(({ path }) => path)).toEqual([
      ['retry_schedule', 0],
      ['retry_schedule', 2],
    ]);
  });
});
