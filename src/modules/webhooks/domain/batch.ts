import { createHash } from 'node:crypto';

import { integerProblems, unknownField, type FieldProblem } from '../../../platform/kernel/field-problem.js';
import type { AttemptTrigger } from './attempt.js';
import type { RequestBody } from './preset-body.js';
import { nextStep, type NextStep, type SendOutcome } from './retry-policy.js';
import type { RetryWaits } from './retry-schedule.js';

/** How several events go to an endpoint in one request. */
export interface Batch {
  readonly maxEvents: number;
  /** Milliseconds that the first of them waits for others. */
  readonly maxWaitMs: number;
}

export const MIN_BATCH_EVENTS = 2;
export const MAX_BATCH_EVENTS = 100;
export const MAX_BATCH_WAIT_MS = 60_000;
export const DEFAULT_BATCH_WAIT_MS = 1_000;
/** Bytes of one request; a single event may have as many by itself. */
export const MAX_BATCH_BYTES = 1_048_576;

/** A batch as the API and the database have it. */
export interface StoredBatch {
  readonly max_events: number;
  readonly max_wait_ms: number;
}

/** As it is asked for. */
export type BatchWish = Pick<StoredBatch, 'max_events'> & Partial<StoredBatch>;

export function wantedBatch({ max_events: maxEvents, max_wait_ms: maxWaitMs }: BatchWish): Batch {
  return { maxEvents, maxWaitMs: maxWaitMs ?? DEFAULT_BATCH_WAIT_MS };
}

export function toStoredBatch({ maxEvents, maxWaitMs }: Batch): StoredBatch {
  return { max_events: maxEvents, max_wait_ms: maxWaitMs };
}

/** Checks what somebody wants as a batch, in the form of the API. */
export function batchProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: 'Batch must be an object with max_events and max_wait_ms' }];
  }
  const { max_events: max, max_wait_ms: wait, ...others } = value as Readonly<Record<string, unknown>>;
  return [
    ...integerProblems(max, [...path, 'max_events'], MIN_BATCH_EVENTS, MAX_BATCH_EVENTS),
    ...(wait === undefined ? [] : integerProblems(wait, [...path, 'max_wait_ms'], 0, MAX_BATCH_WAIT_MS)),
    ...Object.keys(others).map((name) => unknownField(name, path)),
  ];
}

/**
 * The id of a request: the same for the same deliveries, whatever became of others; of one delivery its own. In the form of a
 * UUID (version 8), so that receivers may store it as one.
 */
export function batchId(deliveryIds: readonly string[]): string {
  const [only = ''] = deliveryIds;
  if (deliveryIds.length === 1) return only;
  const hash = createHash('sha256')
    .update([...deliveryIds].sort().join('\n'))
    .digest();
  hash[6] = (hash.readUInt8(6) & 0x0f) | 0x80;
  hash[8] = (hash.readUInt8(8) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** One body of many, always an array. The texts go in as they are. */
export function batchBody(bodies: readonly RequestBody[]): RequestBody {
  const isCloudEvents = bodies.some(({ contentType }) => contentType.startsWith('application/cloudevents'));
  return {
    text: `[${bodies.map(({ text }) => text).join(',')}]`,
    contentType: isCloudEvents ? 'application/cloudevents-batch+json' : 'application/json',
  };
}

/** How many of the bodies go in one request: at least one. */
export function fitting(bodies: readonly RequestBody[]): number {
  let bytes = 2;
  const at = bodies.findIndex(
    ({ text }, n) => (bytes += Buffer.byteLength(text) + 1) > MAX_BATCH_BYTES && n > 0,
  );
  return at === -1 ? bodies.length : at;
}

/**
 * Where each delivery of a request goes after it. Refused for good, they go again one by one at once: it may be one that is bad.
 * What failed otherwise is tried again with the same, and the last time that the schedule permits one by one.
 *
 * @param members deliveries in the request
 */
export function batchStep(
  outcome: SendOutcome,
  attempt: { readonly trigger: AttemptTrigger; readonly autoAttempts: number },
  waits: RetryWaits,
  members: number,
): NextStep {
  if (members === 1) return nextStep(outcome, attempt, waits);
  if (outcome.kind === 'permanent') {
    return {
      status: 'PENDING',
      lastError: outcome.error,
      delayMs: 0,
      isApart: true,
    };
  }
  const next = nextStep(outcome, attempt, waits);
  const isLast = next.status === 'PENDING' && attempt.autoAttempts >= waits.retries;
  return isLast ? { ...next, isApart: true } : next;
}
