import { CLOSED_CIRCUIT, type Circuit } from './circuit.js';
import type { CircuitResult } from './circuit-after.js';
import { DEFAULT_CIRCUIT_RULE, type CircuitRule } from './circuit-rule.js';
import { NOW_MS } from './gate-cases.js';
import { countedFrom } from './recent-attempts.js';

/** Attempts that ended one after the other: `F` failed, `S` went well, `B` 429, `N` saw nothing of it. */
export interface CircuitCase {
  readonly name: string;
  readonly circuit: Circuit;
  readonly rule: CircuitRule;
  /** Milliseconds from {@link NOW_MS} at which they end. */
  readonly inMs: number;
  readonly results: string;
  /** Of their claims; that of the circuit when left out. */
  readonly epoch: number;
  readonly retryAfterMs: number;
  /** What of the circuit is expected then. */
  readonly expected: Partial<Circuit>;
}

const DAY_MS = 86_400_000;
const OUTCOMES = { F: 'failed', S: 'good', B: 'busy', N: 'nothing' } as const;

/** Each as the engine tells it. */
export function resultsOf({ results, epoch, retryAfterMs }: CircuitCase): CircuitResult[] {
  return [...results.matchAll(/S+|[FBN]/g)].map(([run]) => ({
    ...{ epoch, outcome: OUTCOMES[run[0] as keyof typeof OUTCOMES], count: run.length },
    error: run.startsWith('S') ? null : 'HTTP 500',
    retryAfterMs,
  }));
}

const closed = (change: Partial<Circuit> = {}): Circuit => ({ ...CLOSED_CIRCUIT, epoch: 4, ...change });

const opened = (change: Partial<Circuit> = {}): Circuit => ({
  ...closed({ state: 'open', failures: 10, failingSinceMs: NOW_MS - 9_000, openedAtMs: NOW_MS - 5_000 }),
  ...{ nextProbeAtMs: NOW_MS + 25_000, probeWaitMs: 30_000 },
  cause: '10 failed attempts in a row; the last: HTTP 500',
  ...change,
});

const probing = (change: Partial<Circuit> = {}): Circuit => ({
  ...opened({ state: 'half_open', nextProbeAtMs: NOW_MS + 15_000, openedAtMs: NOW_MS - 30_000 }),
  probeId: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22',
  ...change,
});

const failingForDays = (days: number, openDays: number, change: Partial<Circuit> = {}): Circuit =>
  probing({
    failingSinceMs: NOW_MS - days * DAY_MS,
    openedAtMs: NOW_MS - openDays * DAY_MS,
    probeWaitMs: 3_600_000,
    ...change,
  });

type Row = readonly [string, Circuit, string, Partial<Circuit>, Partial<CircuitCase>?];

const of = ([name, circuit, results, expected, change = {}]: Row): CircuitCase => ({
  ...{ name, circuit, results, expected, rule: DEFAULT_CIRCUIT_RULE, inMs: 0, retryAfterMs: 0 },
  epoch: circuit.epoch,
  ...change,
});

const PATIENT = { rule: { ...DEFAULT_CIRCUIT_RULE, failures: 100 } };
const OPENED: Partial<Circuit> = {
  ...{ state: 'open', epoch: 5, openedAtMs: NOW_MS, nextProbeAtMs: NOW_MS + 30_000, probeWaitMs: 30_000 },
  ...{ recent: null, ramp: null, failingSinceMs: NOW_MS },
};

/** What ends of attempts do to a circuit: one table for the rule and for the function of the database. */
export const CIRCUIT_CASES: readonly CircuitCase[] = (
  [
    ['nine in a row', closed(), 'F'.repeat(9), { state: 'closed', failures: 9, epoch: 4 }],
    [
      'ten in a row',
      closed(),
      'F'.repeat(10),
      { ...OPENED, failures: 10, cause: '10 failed attempts in a row; the last: HTTP 500' },
    ],
    ['ten with a 429 among them', closed(), `${'F'.repeat(5)}B${'F'.repeat(4)}`, { ...OPENED, failures: 10 }],
    [
      'nine, one that went well, nine',
      closed(),
      `${'F'.repeat(9)}S${'F'.repeat(9)}`,
      { state: 'closed', failures: 9 },
    ],
    ['eleven under way when the tenth failed', closed(), 'F'.repeat(11), { ...OPENED, failures: 10 }],
    [
      'three in a row, where three are enough',
      closed(),
      'FFF',
      { ...OPENED, failures: 3 },
      { rule: { ...DEFAULT_CIRCUIT_RULE, failures: 3 } },
    ],
    [
      'what the endpoint saw nothing of',
      closed(),
      'N'.repeat(30),
      { state: 'closed', failures: 0, recent: null },
    ],
    ['all well', closed(), 'S'.repeat(30), { state: 'closed', failures: 0, recent: null, epoch: 4 }],
    [
      'fourteen of twenty',
      closed(),
      'F'.repeat(7) + 'S'.repeat(6) + 'F'.repeat(7),
      { ...OPENED, failures: 7, cause: '14 of 20 attempts failed within 5 minutes; the last: HTTP 500' },
    ],
    [
      'thirteen of twenty',
      closed(),
      'F'.repeat(7) + 'S'.repeat(7) + 'F'.repeat(6),
      { state: 'closed', failures: 6 },
    ],
    ['nineteen of nineteen', closed(), 'F'.repeat(19), { state: 'closed', failures: 19 }, PATIENT],
    ['twenty of twenty', closed(), 'F'.repeat(20), { ...OPENED, failures: 20 }, PATIENT],
    [
      'half of ten, where that is enough',
      closed(),
      'FSFSFSFSSF',
      { ...OPENED, failures: 1 },
      { rule: { failures: 10, percent: 50, minAttempts: 10 } },
    ],
    [
      'what went well before counts',
      closed({ recent: countedFrom(NOW_MS, [10]) }),
      'F'.repeat(19),
      { state: 'closed', failures: 19 },
      PATIENT,
    ],
    [
      'nineteen of six minutes ago',
      closed({
        failures: 1,
        recent: { ...countedFrom(NOW_MS, [19]), failed: [19, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
      }),
      'F',
      { state: 'closed', failures: 2 },
      { inMs: 360_000 },
    ],
    [
      'nineteen of four minutes ago',
      closed({
        failures: 1,
        recent: { ...countedFrom(NOW_MS, [19]), failed: [19, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
      }),
      'F',
      { state: 'open', failures: 2 },
      { inMs: 240_000 },
    ],
    [
      'a clock that was set back',
      closed({
        failures: 1,
        recent: { ...countedFrom(NOW_MS, [19]), failed: [19, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
      }),
      'F',
      { state: 'open' },
      { inMs: -3_600_000 },
    ],
    [
      'the last failure is five minutes ago: nothing is counted any more',
      closed({ recent: { ...countedFrom(NOW_MS, [3]), failed: [3, 0, 0, 0, 0, 0, 0, 0, 0, 0] } }),
      'S',
      { recent: null, failures: 0, failingSinceMs: null },
      { inMs: 300_000 },
    ],
    ['the pace doubles', closed({ ramp: 1 }), 'S', { ramp: 2 }],
    ['the pace doubles with each of a run', closed({ ramp: 1 }), 'SSSSS', { ramp: 32 }],
    ['the pace is full', closed({ ramp: 1 }), 'S'.repeat(6), { ramp: null }],
    ['the pace stays while it fails', closed({ ramp: 4 }), 'F', { ramp: 4 }],
    [
      'a failure of before',
      closed(),
      'F'.repeat(20),
      { state: 'closed', failures: 0, recent: null },
      { epoch: 3 },
    ],
    [
      'one that went well of before',
      closed({ failures: 4, ramp: 2 }),
      'S',
      { failures: 4, ramp: 2 },
      { epoch: 3 },
    ],
    ['open: a failure of before', opened(), 'FFF', opened(), { epoch: 3 }],
    [
      'open: one that went well of before makes a probe due',
      opened(),
      'S',
      { state: 'open', nextProbeAtMs: NOW_MS, failures: 10, failingSinceMs: null },
      { epoch: 3 },
    ],
    [
      'a probe that arrives',
      probing({ recent: countedFrom(NOW_MS, [1]) }),
      'S',
      {
        ...CLOSED_CIRCUIT,
        ...{ ramp: 1, countedFromMs: NOW_MS, epoch: 5 },
      },
    ],
    [
      'a probe that fails',
      probing(),
      'F',
      {
        ...{ state: 'open', probeId: null, probeWaitMs: 60_000, nextProbeAtMs: NOW_MS + 60_000, epoch: 5 },
        ...{ failures: 11, failingSinceMs: NOW_MS - 9_000, openedAtMs: NOW_MS - 30_000 },
      },
    ],
    [
      'a probe that fails, an hour after the last',
      probing({ probeWaitMs: 2_400_000 }),
      'F',
      { probeWaitMs: 3_600_000, nextProbeAtMs: NOW_MS + 3_600_000 },
    ],
    [
      'a probe that is too much',
      probing(),
      'B',
      { state: 'open', probeWaitMs: 30_000, nextProbeAtMs: NOW_MS + 30_000, failures: 11 },
    ],
    [
      'a probe that is too much for five minutes',
      probing(),
      'B',
      { state: 'open', probeWaitMs: 30_000, nextProbeAtMs: NOW_MS + 300_000 },
      { retryAfterMs: 300_000 },
    ],
    [
      'a probe that is too much for a day',
      probing(),
      'B',
      { nextProbeAtMs: NOW_MS + 3_600_000 },
      { retryAfterMs: DAY_MS },
    ],
    [
      'a probe that the endpoint saw nothing of',
      probing(),
      'N',
      { state: 'open', probeId: null, probeWaitMs: 30_000, nextProbeAtMs: NOW_MS, failures: 10, epoch: 5 },
    ],
    [
      'a probe that fails while another is asked for',
      probing({ nextProbeId: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e23' }),
      'F',
      {
        state: 'open',
        probeWaitMs: 60_000,
        nextProbeAtMs: NOW_MS,
        nextProbeId: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e23',
      },
    ],
    ['a probe whose lease ended: another is under way', probing(), 'F', probing(), { epoch: 3 }],
    [
      'half open: one that went well of before',
      probing(),
      'S',
      { ...probing(), failingSinceMs: null },
      { epoch: 3 },
    ],
    ['five days, one of them open', failingForDays(5, 1), 'F', { state: 'open' }],
    ['nearly five days', failingForDays(4.99, 4.9), 'F', { state: 'open' }],
    ['old failures, and open since today', failingForDays(9, 0.9), 'F', { state: 'open' }],
    ['five days, and a 429', failingForDays(6, 6), 'B', { state: 'open' }],
    ['five days, and a probe of before', failingForDays(6, 6), 'F', failingForDays(6, 6), { epoch: 3 }],
  ] satisfies Row[] as readonly Row[]
).map(of);

/** Those of the cases that end the subscription. */
export const GIVEN_UP: readonly string[] = ['five days, one of them open'];
