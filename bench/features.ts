import { BenchLab, type BenchLane } from './bench-lab.js';
import { BODY, drain, type Beside } from './rows.js';
import { percentile } from './statistics.js';

/** Lanes of each kind. */
const LANES = 10;
/** Deliveries that are measured, and that are beside them. */
const COUNT = 10_000;
const ASIDE = 5_000;
/** Those of lanes that hold them all: four of five kinds, as a batch that is full is not held. */
const HELD = 4_000;
/** Times that two are measured in turn: one drain differs from the same again by 7 %. */
const PAIRS = 5;
/** Keys of a lane that keeps an order. */
const KEYS = 100;

/** What a lane may ask for, with which it still gets all that it can take. */
const FEATURES: Readonly<Record<string, object>> = {
  circuit: { circuit: { failures: 100, min_attempts: 1_000 } },
  limit: { rateLimit: { max: 1_000, perSeconds: 1 } },
  fifo: { ordering: 'fifo' },
  batch: { batch: { maxEvents: 50, maxWaitMs: 1_000 } },
  template: { template: 'standard' },
};

/** `npm run bench -- --features`: what lanes cost that ask for something, and lanes that ask for nothing beside them. */
export async function compareFeatures(): Promise<void> {
  const lab = await BenchLab.start();
  const tell = (figure: string, perSecond: number, of: number, goal = ''): void => {
    const ratio = (perSecond / of).toFixed(2);
    process.stdout.write(`${figure.padEnd(58)} ${perSecond.toFixed(0).padStart(6)}/s  ${ratio}  ${goal}\n`);
  };
  try {
    const plain = await lab.subscribe(LANES, 'ok', 'plain');
    const rate = async (lanes: readonly BenchLane[], beside?: Beside): Promise<number> =>
      (await drain(lab, lanes, COUNT, beside === undefined ? {} : { beside })).perSecond;
    await rate(plain);
    const before = await rate(plain);

    const others = { plain: await lab.subscribe(LANES, 'aside', 'others') };
    const featured = await featuredLanes(lab, 'aside', 'featured');
    const sending = (lanes: readonly BenchLane[]): Beside => ({
      lanes,
      store: async () => backlog(lab, lanes, ASIDE),
    });
    const sent = await inPairs(
      async () => rate(plain, sending(others.plain)),
      async () => rate(plain, sending(featured)),
    );
    const held = await heldLanes(lab);
    const waited = await inPairs(
      // As many that wait for nothing but their time: what their rows cost, whoever keeps them.
      async () => rate(plain, { lanes: [], store: async () => putOff(lab, others.plain) }),
      async () => {
        const kept = await rate(plain, { lanes: held, store: async () => hold(lab, held) });
        await release(lab);
        return kept;
      },
    );
    const after = await rate(plain);
    const bare = (before + after) / 2;

    tell('lanes that ask for nothing', before, bare);
    tell('the same again, after everything below', after, bare);
    tell('beside as many that ask for nothing', sent.first, bare);
    tell('beside as many that ask for something, of the line above', sent.second, sent.first, '≥ 0.90');
    tell('beside lanes with 4,000 that are due in an hour', waited.first, bare);
    tell('beside lanes whose gates hold 4,000, of the line above', waited.second, waited.first, '≥ 0.90');
    for (const [name, settings] of Object.entries(FEATURES)) {
      const lanes = await lab.subscribe(LANES, 'ok', `on_${name}`, undefined, settings);
      const beside = { lanes: [], store: async () => inOrder(lab, lanes, settings) };
      tell(`all lanes with ${name}`, await rate(lanes, beside), bare, 'told');
    }
  } finally {
    await lab.dispose();
  }
}

/** Rates of two that are compared: in turn, so that what the machine does meets both, and the middle one of each. */
async function inPairs(
  first: () => Promise<number>,
  second: () => Promise<number>,
): Promise<{ first: number; second: number }> {
  const rates: { first: number[]; second: number[] } = { first: [], second: [] };
  for (let n = 0; n < PAIRS; n += 1) {
    rates.first.push(await first());
    rates.second.push(await second());
  }
  return { first: percentile(rates.first, 0.5), second: percentile(rates.second, 0.5) };
}

/** Two lanes with each. */
async function featuredLanes(lab: BenchLab, path: string, prefix: string): Promise<BenchLane[]> {
  const lanes: BenchLane[] = [];
  for (const [name, settings] of Object.entries(FEATURES)) {
    lanes.push(...(await lab.subscribe(LANES / 5, path, `${prefix}_${name}`, undefined, settings)));
  }
  return lanes;
}

/** Lanes of which nothing, or next to nothing, may go: one gate each, twice. */
async function heldLanes(lab: BenchLab): Promise<BenchLane[]> {
  const slow = { rateLimit: { max: 1, perSeconds: 3_600 } };
  const open = { batch: { maxEvents: 100, maxWaitMs: 60_000 } };
  return [
    ...(await lab.subscribe(2, 'aside', 'held_paused')),
    ...(await lab.subscribe(2, 'aside', 'held_circuit')),
    ...(await lab.subscribe(2, 'aside', 'held_rate', undefined, slow)),
    ...(await lab.subscribe(2, 'aside', 'held_order', undefined, { ordering: 'fifo' })),
    ...(await lab.subscribe(2, 'aside', 'held_batch', undefined, open)),
  ];
}

/** A backlog whose order is as emits would have made it. */
async function backlog(lab: BenchLab, lanes: readonly BenchLane[], count: number): Promise<void> {
  await lab.backlog(lanes, count, BODY);
  await inOrder(
    lab,
    lanes.filter(({ event }) => /fifo|order/.test(event)),
    FEATURES['fifo'] ?? {},
  );
}

async function putOff(lab: BenchLab, lanes: readonly BenchLane[]): Promise<void> {
  await lab.backlog(lanes, HELD, BODY);
  await lab.pool.query(
    `UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 hour' WHERE subscription_id = ANY ($1)`,
    [lanes.map(({ subscriptionId }) => subscriptionId)],
  );
}

async function inOrder(lab: BenchLab, lanes: readonly BenchLane[], settings: object): Promise<void> {
  if (!('ordering' in settings) || lanes.length === 0) return;
  await lab.pool.query(
    `UPDATE webhook_deliveries d SET position = nextval('webhook_positions'), ordering_key = 'k' || o.n % $2::int
       FROM (SELECT event_id, subscription_id, row_number() OVER (ORDER BY id) AS n FROM webhook_deliveries
              WHERE subscription_id = ANY ($1::uuid[])) AS o
      WHERE d.event_id = o.event_id AND d.subscription_id = o.subscription_id`,
    [lanes.map(({ subscriptionId }) => subscriptionId), KEYS],
  );
}

/** Puts their backlog behind what keeps it back: a pause, an open circuit, heads that wait for an hour, a batch that is open. */
async function hold(lab: BenchLab, lanes: readonly BenchLane[]): Promise<void> {
  const of = (prefix: string): string[] =>
    lanes.filter(({ event }) => event.startsWith(prefix)).map(({ subscriptionId }) => subscriptionId);
  const isBatch = ({ event }: BenchLane): boolean => event.startsWith('held_batch');
  // All of them until everything stands: a worker is there already.
  await lab.pool.query('UPDATE webhook_lanes SET paused_at = now() WHERE subscription_id = ANY ($1)', [
    of('held'),
  ]);
  await backlog(
    lab,
    lanes.filter((lane) => !isBatch(lane)),
    HELD,
  );
  await backlog(lab, lanes.filter(isBatch), 20);
  await lab.pool.query(
    `UPDATE webhook_lanes SET circuit_state = 'open', circuit_opened_at = now(), next_probe_at = now() + interval '1 hour',
                              probe_wait_ms = 3600000, failures = 10, failing_since = now()
      WHERE subscription_id = ANY ($1)`,
    [of('held_circuit')],
  );
  await lab.pool.query(
    `UPDATE webhook_deliveries d SET is_retry = true, next_attempt_at = now() + interval '1 hour'
       FROM (SELECT DISTINCT ON (subscription_id, ordering_key) event_id, subscription_id FROM webhook_deliveries
              WHERE subscription_id = ANY ($1) ORDER BY subscription_id, ordering_key, position) AS head
      WHERE d.event_id = head.event_id AND d.subscription_id = head.subscription_id`,
    [of('held_order')],
  );
  await lab.pool.query(
    'UPDATE webhook_lanes SET paused_at = NULL WHERE subscription_id = ANY ($1) AND subscription_id <> ALL ($2)',
    [of('held'), of('held_paused')],
  );
}

async function release(lab: BenchLab): Promise<void> {
  await lab.pool.query(
    `UPDATE webhook_lanes SET paused_at = NULL, circuit_state = 'closed', next_probe_at = NULL, failures = 0, failing_since = NULL`,
  );
}
