import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import type { Lane } from '../../domain/lane.js';
import { WakeTimers } from './wake-timers.js';

const laneOf = (id: string): Lane => ({ tenantId: 'acme', subscriptionId: id });

describe('WakeTimers', () => {
  let rung: string[];
  let timers: WakeTimers;

  beforeEach(() => {
    jest.useFakeTimers();
    rung = [];
    timers = new WakeTimers((lanes) => rung.push(...lanes.map(({ subscriptionId }) => subscriptionId)));
  });

  afterEach(() => {
    timers.stop();
    jest.useRealTimers();
  });

  it('rings when the wait is over, not before, and once', () => {
    timers.wakeAfter(laneOf('a'), 1_000);
    jest.advanceTimersByTime(1_000);
    expect(rung).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(rung).toEqual(['a']);
    jest.advanceTimersByTime(10_000);
    expect(rung).toEqual(['a']);
  });

  it.each([
    [500, 2_000],
    [2_000, 500],
  ])('keeps the earliest wake of a lane: %i and %i ms', (first, second) => {
    timers.wakeAfter(laneOf('a'), first);
    timers.wakeAfter(laneOf('a'), second);
    jest.advanceTimersByTime(600);
    expect(rung).toEqual(['a']);
    jest.advanceTimersByTime(10_000);
    expect(rung).toEqual(['a']);
  });

  it('can be set again after it rang', () => {
    timers.wakeAfter(laneOf('a'), 100);
    jest.advanceTimersByTime(200);
    timers.wakeAfter(laneOf('a'), 100);
    jest.advanceTimersByTime(200);
    expect(rung).toEqual(['a', 'a']);
  });

  it('leaves a wait of more than a minute to the sweep', () => {
    timers.wakeAfter(laneOf('a'), 60_001);
    timers.wakeAfter(laneOf('b'), 60_000);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(120_000);
    expect(rung).toEqual(['b']);
  });

  it('rings nobody after it was stopped', () => {
    timers.wakeAfter(laneOf('a'), 100);
    timers.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
