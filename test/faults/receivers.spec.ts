import { expect, it } from '@jest/globals';

import { describeFaults } from './harness/fault-suite.js';
import type { Answer } from './harness/history-receiver.js';
import { size } from './harness/settings.js';

interface Misbehaviour {
  readonly answer: Answer;
  readonly status: 'DELIVERED' | 'FAILED';
  readonly attempts: number;
  readonly statusCode: number | null;
  readonly errorClass: string | null;
  readonly lastError: string | null;
}

const TWO_ATTEMPTS = { status: 'FAILED', attempts: 2, statusCode: null } as const;
/** The status decides as soon as it is there, whatever becomes of the body. */
const DELIVERED = {
  status: 'DELIVERED',
  attempts: 1,
  statusCode: 200,
  errorClass: null,
  lastError: null,
} as const;

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { answer: 'hang', ...TWO_ATTEMPTS, errorClass: 'timeout', lastError: 'Request timeout (2s)' },
  { answer: 'drip', ...TWO_ATTEMPTS, errorClass: 'timeout', lastError: 'Request timeout (2s)' },
  {
    answer: 'reset',
    ...TWO_ATTEMPTS,
    errorClass: 'connection_reset',
    lastError: 'Connection error: connection reset',
  },
  {
    answer: 'garbage',
    ...TWO_ATTEMPTS,
    errorClass: 'other',
    lastError: 'Connection error: response is not valid HTTP',
  },
  { answer: 'close_mid_body', ...DELIVERED },
  { answer: 'huge', ...DELIVERED },
  { answer: 500, ...TWO_ATTEMPTS, statusCode: 500, errorClass: 'http_5xx', lastError: 'HTTP 500' },
  { answer: 302, ...TWO_ATTEMPTS, statusCode: 302, errorClass: 'http_3xx', lastError: 'HTTP 302' },
  {
    answer: 404,
    status: 'FAILED',
    attempts: 1,
    statusCode: 404,
    errorClass: 'http_4xx',
    lastError: 'HTTP 404',
  },
];

describeFaults('receivers that misbehave', (openLab) => {
  it('each fail in their own way, and delay nobody beside them', async () => {
    const lab = await openLab({ lanes: MISBEHAVIOURS.length + 1, maxRetries: 1, timeoutSeconds: 2 });
    lab.receiver.hugeBytes = size(16, 100) * 1024 * 1024;
    MISBEHAVIOURS.forEach(({ answer }, lane) => {
      lab.receiver.behaveOn(lane, answer);
    });
    const worker = await lab.startWorker();
    const perLane = 3;
    await lab.emit(perLane * (MISBEHAVIOURS.length + 1));
    await lab.settle();
    expect(await lab.violations()).toEqual([]);

    const deliveries = await lab.deliveries();
    const attempts = await lab.attempts();
    MISBEHAVIOURS.forEach(({ answer, errorClass, statusCode, status, attempts: count, lastError }, lane) => {
      const ofLane = deliveries.filter((delivery) => delivery.lane === lane);
      const outcome = { answer, status, attempts: count, lastError };
      expect(
        ofLane.map((row) => ({
          answer,
          status: row.status,
          attempts: row.attempts,
          lastError: row.lastError,
        })),
      ).toEqual(Array.from({ length: perLane }, () => outcome));
      const ids = ofLane.map((delivery) => delivery.id);
      const seen = attempts.filter((attempt) => ids.includes(attempt.deliveryId));
      expect(seen).toHaveLength(perLane * count);
      for (const attempt of seen) expect(attempt).toMatchObject({ errorClass, statusCode });
    });
    expect(
      deliveries.filter((row) => row.lane === MISBEHAVIOURS.length && row.status === 'DELIVERED'),
    ).toHaveLength(perLane);
    // What is not stored is not read either: the connection goes instead.
    expect(lab.receiver.hugeBytesTaken).toBeLessThan(lab.receiver.hugeBytes);
    expect(worker.running).toBe(true);
  }, 240_000);
});
