import { describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../../test/support/eventually.js';
import type { Lane } from '../../domain/lane.js';
import { LaneScheduler } from './lane-scheduler.js';

const lane = (subscriptionId: string): Lane => ({ tenantId: 't', subscriptionId });
const failOnError = (_lane: Lane, cause: unknown): void => {
  throw cause;
};

/** Turns that end when the test says so. */
function heldTurns(): {
  started: string[];
  drain: (lane: Lane) => Promise<void>;
  end: () => void;
} {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  return {
    started,
    drain: (of) => {
      started.push(of.subscriptionId);
      return new Promise((resolve) => ends.push(resolve));
    },
    end: () => ends.shift()?.(),
  };
}

describe('LaneScheduler', () => {
  it('runs at most so many turns at once, first rung first', async () => {
    const turns = heldTurns();
    const scheduler = new LaneScheduler(turns.drain, { parallel: 2, onError: failOnError });
    for (const id of ['a', 'b', 'c']) scheduler.ring(lane(id));
    expect(turns.started).toEqual(['a', 'b']);
    turns.end();
    await eventually(() => {
      expect(turns.started).toEqual(['a', 'b', 'c']);
    });
  });

  it('keeps one ring that arrives during a turn, and only one', async () => {
    const turns = heldTurns();
    const scheduler = new LaneScheduler(turns.drain, { parallel: 4, onError: failOnError });
    scheduler.ring(lane('a'));
    scheduler.ring(lane('a'));
    scheduler.ring(lane('a'));
    expect(turns.started).toEqual(['a']);
    turns.end();
    await eventually(() => {
      expect(turns.started).toEqual(['a', 'a']);
    });
    turns.end();
    scheduler.ring(lane('b'));
    expect(turns.started).toEqual(['a', 'a', 'b']);
  });

  it('sends a lane that was rung during its turn to the end of the line', async () => {
    const turns = heldTurns();
    const scheduler = new LaneScheduler(turns.drain, { parallel: 1, onError: failOnError });
    for (const id of ['a', 'b', 'a']) scheduler.ring(lane(id));
    turns.end();
    await eventually(() => {
      expect(turns.started).toEqual(['a', 'b']);
    });
    turns.end();
    await eventually(() => {
      expect(turns.started).toEqual(['a', 'b', 'a']);
    });
  });

  it('survives a turn that fails and tells of it', async () => {
    const failures: string[] = [];
    const scheduler = new LaneScheduler(() => Promise.reject(new Error('database away')), {
      parallel: 1,
      onError: (of) => failures.push(of.subscriptionId),
    });
    scheduler.ring(lane('a'));
    scheduler.ring(lane('b'));
    await eventually(() => {
      expect(failures).toEqual(['a', 'b']);
    });
  });
});
