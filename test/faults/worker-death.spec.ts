import { expect } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults, itTogether, type OpenLab } from './harness/fault-suite.js';
import { IN_FLIGHT, isKilledAtRandom, KILLS } from './harness/random-kills.js';
import { size } from './harness/settings.js';
import type { FaultLab } from './harness/lab.js';
import { endBlocked, holdLock, untilBlocked } from './harness/locks.js';
import type { Worker } from './harness/worker.js';

const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';

async function diesBeforeItsClaim(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 2 });
  await lab.emit(6);
  const tableLock = await holdLock(lab, 'LOCK TABLE webhook_deliveries IN EXCLUSIVE MODE');
  const first = await lab.startWorker();
  await untilBlocked(lab, 'webhook_claim');
  await first.kill();
  await endBlocked(lab, 'webhook_claim');
  await tableLock.release();
  await lab.startWorker();
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect(lab.receiver.requests).toHaveLength(6);
  expect((await lab.deliveries()).map((delivery) => delivery.attempts)).toEqual([1, 1, 1, 1, 1, 1]);
}

// Invariants 1 and 3; red without RECLAIM (sweep-deliveries.ts), and when it waits for locks instead of SKIP LOCKED.
async function diesDuringItsRequest(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 2, timeoutSeconds: 6 });
  const [unanswered, unwritten] = [0, 1];
  lab.receiver.behaveOn(unanswered, 'hold');
  lab.receiver.behaveOn(unwritten, 'hold');
  const first = await lab.startWorker();
  await lab.emit(2);
  await eventually(() => expect(lab.receiver.heldCount).toBe(2));

  const delivered = lab.receiver.requestsTo(unwritten)[0];
  const rowLock = await holdLock(lab, 'SELECT 1 FROM webhook_deliveries WHERE id = $1 FOR UPDATE', [
    delivered?.webhookId,
  ]);
  lab.receiver.release(200, unwritten);
  await untilBlocked(lab, 'webhook_settle');
  await first.kill();
  await endBlocked(lab, 'webhook_settle');

  // Whoever holds a row holds up that row alone.
  lab.receiver.behaveOn(unanswered, 200);
  lab.receiver.behaveOn(unwritten, 200);
  await lab.startWorker();
  await eventually(() => expect(lab.receiver.requestsTo(unanswered)).toHaveLength(2), { timeoutMs: 90_000 });
  expect(lab.receiver.requestsTo(unwritten)).toHaveLength(1);
  await rowLock.release();
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  for (const lane of [unanswered, unwritten]) {
    const requests = lab.receiver.requestsTo(lane);
    expect(requests.map((request) => request.worker)).toEqual(['worker-1', 'worker-2']);
    expect(new Set(requests.map((request) => request.webhookId)).size).toBe(1);
  }
  const attempts = await lab.attempts();
  expect(attempts.map(({ number, statusCode, error }) => ({ number, statusCode, error }))).toEqual([
    { number: 1, statusCode: null, error: INTERRUPTED },
    { number: 2, statusCode: 200, error: null },
    { number: 1, statusCode: null, error: INTERRUPTED },
    { number: 2, statusCode: 200, error: null },
  ]);
}

/** The time budget of attempts that outlive every lease by far: what waits for it is not taken over, but timed out. */
const LONG_BUDGET_SECONDS = 30;

/** What an endpoint gets at 25 a second: a claim takes several of them, each of which waits for its slot. */
const RATED = 20;

/**
 * Freezes the worker while it has claimed what it has not sent: requests that wait for their slots. On a machine that is too busy
 * to stop it in time it gets further tries.
 */
async function freezeBeforeSending(lab: FaultLab, worker: Worker, lane: number): Promise<void> {
  const rows = async (...statuses: string[]): Promise<string[]> => {
    const found = await lab.query<{ id: string }>(
      'SELECT id FROM webhook_deliveries WHERE subscription_id = $1 AND status = ANY ($2)',
      [lab.subscriptionOf(lane), statuses],
    );
    return found.map(({ id }) => id);
  };
  await eventually(
    async () => {
      worker.thaw();
      // Each good answer gives the endpoint one more place, so that the next claim takes more of them.
      await eventually(async () => expect(await rows('PENDING', 'SENDING')).toEqual([]));
      await lab.emit(RATED, { lanes: [lane] });
      worker.freeze();
      const claimed = await rows('SENDING');
      const sent = new Set(lab.receiver.requestsTo(lane).map(({ webhookId }) => webhookId));
      const unsent = claimed.filter((id) => !sent.has(id));
      expect(unsent.length).toBeGreaterThan(1);
    },
    { timeoutMs: 90_000 },
  );
}

/*
 * Invariant 2; red when RECORD (record-attempts.ts) does not ask for `d.lease_token = r.lease_token`, and when a request is
 * written without asking whether its delivery is still this process's (`mayWrite` in undici-axios-adapter.ts).
 */
async function comesBackTooLate(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 2, timeoutSeconds: LONG_BUDGET_SECONDS });
  const [held, rated] = [0, 1];
  await lab.query(
    `UPDATE webhook_subscriptions
        SET settings = (settings::jsonb || '{"rate_limit": {"max": 25, "per_seconds": 1}}')::json WHERE id = $1`,
    [lab.subscriptionOf(rated)],
  );
  lab.receiver.behaveOn(held, 'hold');
  const frozen = await lab.startWorker();
  await lab.emit(1, { lanes: [held] });
  await eventually(() => expect(lab.receiver.heldCount).toBe(1));
  await freezeBeforeSending(lab, frozen, rated);
  lab.receiver.behaveOn(held, 200);
  await lab.startWorker();
  await eventually(async () => expect(Object.keys(await lab.counts())).toEqual(['DELIVERED']), {
    timeoutMs: 90_000,
  });

  lab.receiver.release(500);
  const before = lab.receiver.requestsTo(rated);
  frozen.thaw();
  const [first] = lab.receiver.requestsTo(held);
  await eventually(async () => {
    const late = (await lab.attempts()).find(({ deliveryId }) => deliveryId === first?.webhookId);
    // Which of the two depends on whether its budget was over when it woke up.
    const error = expect.stringMatching(/^(HTTP 500|Request timeout \(30s\))$/) as unknown;
    expect(late).toMatchObject({ number: 1, error });
  });
  expect((await lab.deliveries()).find(({ lane }) => lane === held)).toMatchObject({
    ...{ status: 'DELIVERED', attempts: 2, lastError: null },
  });
  // A result that had overwritten the state would be due again after 1 s, and sent for a third time.
  await lab.emit(1, { lanes: [held] });
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect(lab.receiver.requestsTo(held)).toHaveLength(3);
  // What it had only claimed came from the other one.
  expect(lab.receiver.requestsTo(rated)).toEqual(before);
}

/** What should take 6 s at most, on a machine that does other things as well: still far below the time budget. */
const TAKEN_OVER_WITHIN_MS = 15_000;

/** Seconds. What is left of it when a slow machine has started another worker is still more than that. */
const LONGER_BUDGET_SECONDS = 240;

// Red when a lease ends with its time alone (RECLAIM in sweep-deliveries.ts): then it takes the time budget and 5 s.
async function isTakenOver(openLab: OpenLab, how: 'kill' | 'freeze'): Promise<void> {
  const lab = await openLab({ lanes: 3, timeoutSeconds: LONGER_BUDGET_SECONDS });
  lab.receiver.behave('hold');
  const first = await lab.startWorker();
  await lab.emit(3);
  await eventually(() => expect(lab.receiver.heldCount).toBe(3));
  const other = await lab.startWorker();
  const endedAtMs = Date.now();
  if (how === 'kill') await first.kill();
  else first.freeze();
  lab.receiver.behave(200);
  await eventually(async () => expect(await lab.counts()).toEqual({ DELIVERED: 3 }), { timeoutMs: 90_000 });
  const again = lab.receiver.requests.filter(({ worker }) => worker === other.name);
  expect(again).toHaveLength(3);
  const afterMs = Math.max(...again.map(({ arrivedAtMs }) => arrivedAtMs)) - endedAtMs;
  process.stderr.write(`\nworker-death: taken over ${afterMs} ms after ${how}\n`);
  expect(afterMs).toBeLessThan(TAKEN_OVER_WITHIN_MS);

  if (how === 'freeze') first.thaw();
  lab.receiver.release(200);
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
}

/** Longer than any lease holds without a sign of life, and not as long as the time budget. */
const SLOW_ANSWER_MS = 12_000;

// Red when the leases of the living are given back too (RECLAIM without webhook_workers, and leases of 5 s).
async function isOnlySlow(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 3, timeoutSeconds: LONG_BUDGET_SECONDS });
  lab.receiver.behave('hold');
  await lab.startWorkers(2);
  await lab.emit(3);
  await eventually(() => expect(lab.receiver.heldCount).toBe(3));
  const answerAtMs = performance.now() + SLOW_ANSWER_MS;
  // A machine that kept a worker from its signs of life for as long as a lease has taken its leases, rightly.
  let isStarved = false;
  await eventually(
    async () => {
      const [signs] = await lab.query<{ missed: boolean }>(
        'SELECT coalesce(bool_or(alive_until < now()), true) AS missed FROM webhook_workers',
      );
      isStarved ||= signs?.missed !== false;
      expect(performance.now()).toBeGreaterThan(answerAtMs);
    },
    { intervalMs: 100 },
  );
  lab.receiver.behave(200);
  lab.receiver.release(200);
  await lab.settle();
  if (isStarved) {
    process.stderr.write('\nworker-death: the machine was too busy to tell slow from dead; not judged\n');
    return;
  }
  expect(lab.receiver.requests).toHaveLength(3);
  expect(await lab.violations()).toEqual([]);
}

/** Requests of which one is lost with its worker, each kept until another is under way or the worker is dead. */
const IN_ORDER = 12;

// Red when a head that is under way, or whose worker died, lets the next one go.
async function keepsAnOrder(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 1, timeoutSeconds: LONG_BUDGET_SECONDS });
  await lab.query(`UPDATE webhook_subscriptions SET settings = '{"ordering": "fifo"}'`);
  const workers = await lab.startWorkers(2);
  lab.receiver.behave('hold');
  await lab.emit(IN_ORDER, { concurrency: 4 });
  await eventually(() => expect(lab.receiver.heldCount).toBe(1));
  const lost = lab.receiver.requests[0];
  await workers.find(({ name }) => name === lost?.worker)?.kill();
  lab.receiver.behave(200);
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  const rows = await lab.query<{ id: string }>('SELECT id FROM webhook_deliveries ORDER BY position');
  const ids = rows.map(({ id }) => id);
  // The first of them once more, and then each in its turn.
  expect(lab.receiver.requests.map(({ webhookId }) => webhookId)).toEqual([ids[0], ...ids]);
  expect(lab.receiver.requests[1]?.worker).not.toBe(lost?.worker);
}

// The sweeps of three workers find the same expired leases. Red without RECLAIM.
async function leavesMuchToSweep(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 6, timeoutSeconds: 15 });
  const dying = await lab.startWorker();
  // Good answers of each: an endpoint gets one more place for each of them.
  await lab.emit(96);
  await lab.settle();
  lab.receiver.behave('hold');
  await lab.emit(96);
  await eventually(() => expect(lab.receiver.heldCount).toBe(96), { timeoutMs: 90_000 });
  await dying.kill();
  lab.receiver.behave(200);
  await lab.startWorkers(3);
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect((await lab.deliveries()).filter((delivery) => delivery.attempts === 2)).toHaveLength(96);
  expect(lab.receiver.requests).toHaveLength(96 + 192);
}

describeFaults('a worker that dies', (openLab) => {
  itTogether(
    [
      {
        title: 'before its claim is committed: the next one delivers, and nothing was sent twice',
        run: () => diesBeforeItsClaim(openLab),
      },
      {
        title:
          'during a request, or after the 2xx and before its result is written: one more attempt with the same id',
        run: () => diesDuringItsRequest(openLab),
      },
      {
        title:
          'only seemingly, frozen past its lease: its late result overwrites nothing, and what it had only claimed it never sends',
        run: () => comesBackTooLate(openLab),
      },
      {
        title: 'with a time budget of minutes before it: what it had under way is sent again within seconds',
        run: () => isTakenOver(openLab, 'kill'),
      },
      {
        title: 'only seemingly, frozen with a time budget of minutes before it: the same',
        run: () => isTakenOver(openLab, 'freeze'),
        isLong: true,
      },
      {
        title: 'in the middle of an order: what it had under way is the next again, and nothing overtakes it',
        run: () => keepsAnOrder(openLab),
      },
      {
        title: 'not at all, and waits 12 s for an answer: nothing is sent twice',
        run: () => isOnlySlow(openLab),
      },
      {
        title: 'with much under way, and several sweep at once: each lease is given back once',
        run: () => leavesMuchToSweep(openLab),
        isLong: true,
      },
      {
        title: `${KILLS} times at random, with ${IN_FLIGHT} requests under way: only those may be repeated`,
        run: () => isKilledAtRandom(openLab),
        isHeavy: true,
      },
    ],
    size(300_000, 900_000),
  );
});
