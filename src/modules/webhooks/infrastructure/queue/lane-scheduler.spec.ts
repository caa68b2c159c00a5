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

  it('tells when the turn that follows from a ring has ended, however it did', async () => {
    const turns = heldTurns();
    const ended: string[] = [];
    const scheduler = new LaneScheduler(
      async (of) => {
        await turns.drain(of);
        if (of.subscriptionId === 'b') throw new Error('database away');
      },
      { parallel: 1, onError: () => undefined },
    );
    scheduler.ring(lane('a'), () => ended.push('a'));
    scheduler.ring(lane('b'), () => ended.push('b'));
    scheduler.ring(lane('b'), () => ended.push('b too'));
    // A turn that has begun may have come too early for this one.
    scheduler.ring(lane('a'), () => ended.push('a again'));
    turns.end();
    await eventually(() => {
      expect(ended).toEqual(['a']);
    });
    turns.end();
    await eventually(() => {
      expect(ended).toEqual(['a', 'b', 'b too']);
    });
    turns.end();
    await eventually(() => {
      expect(ended).toEqual(['a', 'b', 'b too', 'a again']);
    });
  });

  // Red when they wait for a turn that never comes: the broker would keep their jobs.
  it('tells those in line when it is stopped, and whoever rings afterwards', () => {
    const turns = heldTurns();
    const ended: string[] = [];
    const scheduler = new LaneScheduler(turns.drain, { parallel: 1, onError: failOnError });
    scheduler.ring(lane('a'));
    scheduler.ring(lane('b'), () => ended.push('b'));
    scheduler.stop();
    scheduler.ring(lane('c'), () => ended.push('c'));
    expect(ended).toEqual(['b', 'c']);
    expect(turns.started).toEqual(['a']);
  });
});
