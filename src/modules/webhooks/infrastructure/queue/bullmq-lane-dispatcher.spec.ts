import { describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../../test/support/eventually.js';
import type { Lane } from '../../domain/lane.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import type { BrokerConnection } from './broker-connection.js';
import { BullmqLaneDispatcher } from './bullmq-lane-dispatcher.js';
import type { Ring } from './lane-queue.js';
import { LocalTurns } from './local-turns.js';

const LANE: Lane = { tenantId: 'acme', subscriptionId: '0198c0de-0000-7000-8000-000000000001' };

describe('what is due later', () => {
  function open(): { dispatcher: BullmqLaneDispatcher; local: LocalTurns; rings: Ring[] } {
    const rings: Ring[] = [];
    const queue = {
      addBulk: async (added: Ring[]): Promise<{ id: string }[]> => {
        rings.push(...added);
        return Promise.resolve(added.map((_, n) => ({ id: String(n) })));
      },
      on: () => undefined,
    };
    const broker: BrokerConnection = { name: 'A broker', ready: true };
    const logger = new RecordingLogger();
    const local = new LocalTurns(logger);
    return { dispatcher: new BullmqLaneDispatcher(queue, broker, local, logger), local, rings };
  }

  // Red when it is rung: a worker's retries of endpoints that fail stand in the broker before everybody's new events.
  it('takes its turn in the process that knows of it, without the broker', async () => {
    const { dispatcher, local, rings } = open();
    const turns: Lane[] = [];
    local.start(async (lane) => Promise.resolve(turns.push(lane)));
    dispatcher.ringAfter(LANE, 1);
    await eventually(() => expect(turns).toEqual([LANE]));
    expect(rings).toEqual([]);
  });

  it('is rung by a process that does not deliver', async () => {
    const { dispatcher, rings } = open();
    dispatcher.ringAfter(LANE, 1);
    await eventually(() => expect(rings.map(({ data }) => data)).toEqual([LANE]));
  });
});
