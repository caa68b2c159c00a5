import { describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../../test/support/eventually.js';
import type { Lane } from '../../domain/lane.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { BrokerTurns } from './broker-turns.js';

const lane = (subscriptionId: string): Lane => ({ tenantId: 't', subscriptionId });
const many = (name: string, count: number): Lane[] =>
  Array.from({ length: count }, (_, n) => lane(`${name}-${n}`));

/** Turns of lanes that end when the test says so. */
function open(): { turns: BrokerTurns; started: string[]; endAll: () => void; logger: RecordingLogger } {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const logger = new RecordingLogger();
  const turns = new BrokerTurns(logger);
  turns.start((of) => {
    started.push(of.subscriptionId);
    return new Promise((resolve) => ends.push(() => resolve(null)));
  });
  return { turns, started, logger, endAll: () => ends.splice(0).forEach((end) => end()) };
}

const nextTick = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns of what comes through a broker', () => {
  // Red when they stand in one line: one tenant's thousands of lanes would be in front of another's one.
  it('of a lane that comes alone begin at once, whatever came together before it', async () => {
    const { turns, started, endAll } = open();
    const together = turns.take({ lanes: many('crowd', 500) });
    const alone = turns.take(lane('alone'));
    expect(started).toHaveLength(129);
    expect(started.at(-1)).toBe('alone');
    await eventually(() => {
      endAll();
      expect(started).toHaveLength(501);
    });
    endAll();
    await Promise.all([together, alone]);
  });

  it('end with the last of the lanes that came together, and not before', async () => {
    const { turns, endAll } = open();
    let ended = false;
    const together = turns.take({ lanes: many('crowd', 130) }).then(() => {
      ended = true;
    });
    endAll();
    await nextTick();
    expect(ended).toBe(false);
    endAll();
    await together;
  });

  // Red when each holds its place until then: none would be left for a lane that comes alone.
  it('leave the consumer its places, however many come together', async () => {
    const { turns, started, endAll } = open();
    const waiting = Array.from({ length: 32 }, (_, n) => turns.take({ lanes: many(`crowd-${n}`, 10) }));
    await turns.take({ lanes: many('more', 10) });
    await eventually(() => {
      endAll();
      expect(started).toHaveLength(330);
    });
    endAll();
    await Promise.all(waiting);
  });

  it('that fail are told of, each, and keep nothing from ending', async () => {
    const logger = new RecordingLogger();
    const turns = new BrokerTurns(logger);
    turns.start(() => Promise.reject(new Error('database away')));
    await turns.take({ lanes: many('crowd', 2) });
    expect(logger.messages('error')).toHaveLength(2);
    await expect(turns.take(lane('alone'))).rejects.toThrow('database away');
  });

  it('that have not begun when the process stops do not begin', async () => {
    const { turns, started, endAll } = open();
    const together = turns.take({ lanes: many('crowd', 500) });
    turns.stop();
    endAll();
    await together;
    expect(started).toHaveLength(128);
  });
});
