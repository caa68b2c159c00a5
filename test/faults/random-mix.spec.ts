import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';
import { Gatekeeper } from './harness/gatekeeper.js';
import type { Answer, LaneRequest } from './harness/history-receiver.js';
import { TWO_OF_THREE, type LaneWish } from './harness/lanes.js';
import { Nemesis } from './harness/nemesis.js';
import { SeededRandom } from './harness/random.js';
import { chosenSeed, IS_FULL, sayHowToRepeat, size } from './harness/settings.js';

const SECONDS = Number(process.env['FAULTS_SECONDS'] ?? size(20, 60));

/** What each lane asks for; the first asks for nothing. */
const WISHES: readonly LaneWish[] = [
  {},
  { settings: { headers: { 'X-Source': 'mix', Authorization: 'Bearer of-the-mix' } } },
  { settings: { signature: { scheme: 'v1a' } } },
  { settings: { signature: { scheme: 'jwt', alg: 'HS256' }, template: 'envelope' } },
  { settings: { retrySchedule: [1, 2], template: 'standard' } },
  { settings: { signature: { scheme: 'jwt' }, template: 'cloudevents' }, filter: TWO_OF_THREE },
  { settings: { ordering: 'fifo' } },
  { settings: { ordering: 'fifo' } },
  { settings: { batch: { maxEvents: 5, maxWaitMs: 200 } } },
  { settings: { batch: { maxEvents: 20, maxWaitMs: 1_000 }, template: 'cloudevents' } },
  { settings: { batch: { maxEvents: 5, maxWaitMs: 200 }, ordering: 'fifo' } },
  {},
  { settings: { rateLimit: { max: 20, perSeconds: 1 } } },
  // What costs time, in the full form alone: slots that are waited for, a thread for expressions, an outage.
  ...(IS_FULL
    ? ([
        {
          settings: {
            ...{ rateLimit: { max: 2, perSeconds: 1 }, batch: { maxEvents: 10, maxWaitMs: 300 } },
            ...{ ordering: 'fifo', signature: { scheme: 'jwt', alg: 'ES256' } },
          },
        },
        { settings: { template: { jsonata: '{"number": number, "type": $event.type}' } } },
        { settings: { circuit: { failures: 3 } } },
      ] satisfies LaneWish[])
    : []),
];
const LANES = WISHES.length;
/** In the full form: whose endpoint fails, so that its circuit opens. */
const FAILING = LANES - 1;

/** Endpoints that ask to be left alone now and then: one without an order, one with. */
const THROTTLED = [11, 7];

const isOrdered = (lane: number): boolean => WISHES[lane]?.settings?.ordering === 'fifo';

/**
 * What went wrong stays wrong for at most: a frozen worker 10 s, a lease 8 s, a stalled turn 10 s, retries 7 s; in an order one
 * after the other.
 */
const REST_MS = 150_000;

/** Decided by the seed and by what is sent, so that it does not depend on the order of arrival. */
function moodyReceiver(seed: number): (request: LaneRequest) => Answer {
  return ({ request, seenBefore }) => {
    const random = new SeededRandom(seed ^ (request.eventNumber * 31 + seenBefore * 7));
    // In an order whatever fails keeps the rest waiting: it fails less often, so that a run comes to its end.
    const mood = random.next() * (isOrdered(request.lane) ? 0.87 : 1);
    if (mood < 0.7 && mood > 0.63 && THROTTLED.includes(request.lane))
      return { status: 429, headers: { 'retry-after': random.pick(['1', '2']) } };
    if (mood < 0.8) return 200;
    if (mood < 0.9) return random.pick([500, 503, 429, 408]);
    return random.pick<Answer>(['hang', 'drip', 'reset', 'garbage', 'close_mid_body', 'huge', 404, 302]);
  };
}

describeFaults('all faults in a random mix', (openLab) => {
  const seed = chosenSeed();

  it(
    `for ${SECONDS} s: the history keeps every invariant`,
    async () => {
      sayHowToRepeat(seed);
      const random = new SeededRandom(seed);
      const lab = await openLab({
        ...{ lanes: LANES, tenants: 3, timeoutSeconds: 3, circuits: true },
        wishOf: (lane) => WISHES[lane] ?? {},
      });
      lab.receiver.hugeBytes = 1024 * 1024;
      lab.receiver.behave(moodyReceiver(seed));
      await lab.verifySignatures();
      const nemesis = new Nemesis(lab, random);
      await nemesis.prepare();
      const gates = IS_FULL
        ? await Gatekeeper.start(lab, new SeededRandom(seed + 2), { count: LANES, failing: FAILING })
        : null;

      const endsAtMs = performance.now() + SECONDS * 1_000;
      const generator = new SeededRandom(seed + 1);
      const generate = async (): Promise<void> => {
        while (performance.now() < endsAtMs) {
          // An emitter that is killed, and transactions that are cut, are part of the mix: their fate stays unknown.
          await lab
            .emit(generator.whole(1, 60), {
              lanes: [generator.whole(0, LANES - 1), generator.whole(0, LANES - 1)],
              rollBackEvery: generator.pick([0, 3, 10]),
              ...(generator.next() < 0.5 ? { emitter: nemesis.emitter } : {}),
            })
            .catch(() => undefined);
          await lab.watchLeases().catch(() => undefined);
          const restsUntilMs = performance.now() + generator.whole(0, 300);
          await eventually(() => expect(performance.now()).toBeGreaterThan(restsUntilMs));
        }
      };
      const strike = async (): Promise<void> => {
        while (performance.now() < endsAtMs) await nemesis.strike();
        nemesis.mend();
      };
      const open = async (): Promise<void> => {
        while (gates !== null && performance.now() < endsAtMs) await gates.turn();
      };
      await Promise.all([generate(), strike(), open()]);
      await gates?.end();
      await lab.settle(REST_MS);

      const history = `seed ${seed}: ${[...nemesis.log, ...(gates?.log ?? [])].join(', ')}`;
      expect({ history, violations: await lab.violations() }).toEqual({ history, violations: [] });
      expect(lab.countOf('committed')).toBeGreaterThan(0);
      const sizes = lab.receiver.requests.flatMap(({ batch }) => (batch?.place === 1 ? [batch.number] : []));
      expect(sizes.length).toBeGreaterThan(0);
      if (gates !== null) expect(lab.closed).not.toEqual([]);
      process.stderr.write(
        `${history}; ${lab.countOf('committed')} committed, ${lab.countOf('rolled_back')} rolled back, ` +
          `${lab.countOf('unknown')} unknown, ${lab.receiver.requests.length} deliveries in requests, ${sizes.length} of several\n`,
      );
    },
    (SECONDS + 480) * 1_000,
  );
});
