import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { LaneDispatcher } from '../../src/modules/webhooks/application/ports/lane-dispatcher.js';
import type { Lane } from '../../src/modules/webhooks/domain/lane.js';
import { eventually } from '../support/eventually.js';

export interface DispatcherHarness {
  readonly dispatcher: LaneDispatcher;
  /** From now on whoever is rung gets a turn. */
  start(drain: (lane: Lane) => Promise<void>): Promise<void>;
  /** What the engine tells after each recorded attempt; a dispatcher without need of it ignores it. */
  attempted(deliveryId: string): void;
  /** Whether a request waits for the first attempts of its deliveries (inline) or only for the ring (brokered). */
  readonly waitsForAttempts: boolean;
  /** Resolves when what was rung so far has come to where rings go. */
  arrived(): Promise<void>;
  /** Lets `ms` milliseconds pass where time is a fake; null where it is real. */
  readonly elapse: ((ms: number) => void) | null;
  dispose(): Promise<void>;
}

const laneOf = (n: number): Lane => ({
  tenantId: 'acme',
  subscriptionId: `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`,
});

/** Turns as a test directs them. */
class Turns {
  readonly started: string[] = [];
  readonly startedAtMs: number[] = [];
  readonly atOnce = new Map<string, number>();
  mostAtOnceOfOneLane = 0;
  private readonly failures: Error[] = [];
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => undefined;

  /** How the next turns fail; those after them succeed. */
  fail(...failures: readonly Error[]): void {
    this.failures.push(...failures);
  }

  /** Turns do not end until {@link release}. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  release(): void {
    this.openGate();
  }

  readonly drain = async (lane: Lane): Promise<void> => {
    const id = lane.subscriptionId;
    this.started.push(id);
    this.startedAtMs.push(performance.now());
    this.atOnce.set(id, (this.atOnce.get(id) ?? 0) + 1);
    this.mostAtOnceOfOneLane = Math.max(this.mostAtOnceOfOneLane, this.atOnce.get(id) ?? 0);
    await this.gate;
    this.atOnce.set(id, (this.atOnce.get(id) ?? 0) - 1);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  };
}

/** What every dispatcher promises: the drain is the same, they differ only in who calls it. */
export function laneDispatcherContract(name: string, open: () => Promise<DispatcherHarness>): void {
  describe(`${name} as a LaneDispatcher`, () => {
    let harness: DispatcherHarness;
    let turns: Turns;

    beforeEach(async () => {
      harness = await open();
      turns = new Turns();
      await harness.start(turns.drain);
    });

    afterEach(async () => {
      turns.release();
      await harness.dispose();
    });

    const turnsOf = async (...lanes: readonly Lane[]): Promise<void> => {
      const wanted = lanes.map(({ subscriptionId }) => subscriptionId).sort();
      await eventually(() => expect([...turns.started].sort()).toEqual(wanted), { timeoutMs: 60_000 });
    };

    it('gives every rung lane a turn', async () => {
      harness.dispatcher.ring([laneOf(1), laneOf(2), laneOf(3)]);
      await turnsOf(laneOf(1), laneOf(2), laneOf(3));
    });

    // Brokers take them together.
    it('gives every lane a turn, and another where it is rung during that, however many are rung in one moment', async () => {
      const many = Array.from({ length: 150 }, (_, n) => laneOf(n));
      turns.hold();
      harness.dispatcher.ring(many);
      await eventually(() => expect(turns.started).not.toEqual([]), { timeoutMs: 60_000 });
      const first = [...turns.started];
      harness.dispatcher.ring(many);
      await harness.arrived();
      turns.release();
      const missing = (): string[] => [
        ...many.map(({ subscriptionId }) => subscriptionId).filter((id) => !turns.started.includes(id)),
        ...first.filter((id) => turns.started.indexOf(id) === turns.started.lastIndexOf(id)),
      ];
      await eventually(() => expect(missing()).toEqual([]), { timeoutMs: 60_000 });
      expect(turns.mostAtOnceOfOneLane).toBe(1);
    });

    it('takes an empty ring for none', async () => {
      harness.dispatcher.ring([]);
      harness.dispatcher.ring([laneOf(1)]);
      await turnsOf(laneOf(1));
    });

    // Red when a ring during a turn is merged into the turn under way: a delivery stored meanwhile would wait.
    it('keeps a ring during a turn for another turn after it, never beside it', async () => {
      turns.hold();
      harness.dispatcher.ring([laneOf(1)]);
      await turnsOf(laneOf(1));
      for (let n = 0; n < 5; n += 1) harness.dispatcher.ring([laneOf(1)]);
      await harness.arrived();
      turns.release();
      await eventually(() => expect(turns.started.length).toBeGreaterThanOrEqual(2), { timeoutMs: 60_000 });
      expect(turns.mostAtOnceOfOneLane).toBe(1);
    });

    it('goes on after a turn that failed, also with the same lane', async () => {
      turns.fail(new Error('the database went away'));
      harness.dispatcher.ring([laneOf(1)]);
      await turnsOf(laneOf(1));
      // The sweep rings again until it is heard: a ring beside the failing turn may go with it.
      await eventually(
        () => {
          harness.dispatcher.ring([laneOf(1), laneOf(2)]);
          expect(turns.started).toContain(laneOf(2).subscriptionId);
          expect(turns.started.filter((id) => id === laneOf(1).subscriptionId).length).toBeGreaterThan(1);
        },
        { timeoutMs: 60_000, intervalMs: 100 },
      );
    });

    it('rings later what is due later, and not before', async () => {
      const rungAtMs = performance.now();
      harness.dispatcher.ringAfter(laneOf(1), 300);
      if (harness.elapse !== null) {
        harness.elapse(299);
        expect(turns.started).toEqual([]);
        harness.elapse(1);
      }
      await turnsOf(laneOf(1));
      if (harness.elapse === null) expect(turns.startedAtMs[0]! - rungAtMs).toBeGreaterThanOrEqual(299);
    });

    // Red when the inline one rings and answers: the caller would see PENDING instead of the first result.
    it('lets a request answer after the ring, or after the first attempts when they are made here', async () => {
      let answered = false;
      const answering = harness.dispatcher
        .afterRequest([{ lane: laneOf(1), id: 'd1' }], ['d1', 'd2'])
        .then(() => {
          answered = true;
        });
      await turnsOf(laneOf(1));
      if (harness.waitsForAttempts) {
        harness.attempted('d1');
        await new Promise((resolve) => setImmediate(resolve));
        expect(answered).toBe(false);
        harness.attempted('d2');
      }
      await answering;
      expect(answered).toBe(true);
    });
  });
}
