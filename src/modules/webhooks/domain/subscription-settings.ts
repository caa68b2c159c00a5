import { integerProblems, type FieldProblem } from '../../../platform/kernel/field-problem.js';
import {
  circuitProblems,
  DEFAULT_CIRCUIT_RULE,
  isDefaultCircuit,
  shownCircuitRule,
  wantedCircuit,
  type CircuitRule,
  type CircuitWish,
  type StoredCircuit,
} from './gates/circuit-rule.js';
import { batchProblems, toStoredBatch, wantedBatch, type Batch, type StoredBatch } from './batch.js';
import { rateLimitProblems, type RateLimit } from './gates/rate-limit.js';
import { headersProblems, type CustomHeader, type HeadersWish } from './custom-headers.js';
import { DEFAULT_ORDERING, orderingProblems, type Ordering } from './ordering.js';
import { retryScheduleProblems, type RetrySchedule } from './retry-schedule.js';
import {
  DEFAULT_SIGNATURE,
  shownSignature,
  signatureProblems,
  wantedSignature,
  type SignatureSetting,
  type SignatureWish,
} from './signature-scheme.js';
import { DEFAULT_TEMPLATE, templateProblems, type Template } from './template.js';

/** What a subscription asks for beside its events and its target. */
export interface SubscriptionSettings {
  readonly retrySchedule: RetrySchedule;
  readonly template: Template;
  /** Total budget of one attempt; null: as the service is set up. */
  readonly timeoutSeconds: number | null;
  /** Requests that the endpoint gets at most; null: as many as it answers. */
  readonly rateLimit: RateLimit | null;
  /** Several events in one request; null: each in its own. */
  readonly batch: Batch | null;
  /** Whether its events go out one after the other. */
  readonly ordering: Ordering;
  /** When nothing is sent for a while because the endpoint fails. */
  readonly circuit: CircuitRule;
  readonly headers: readonly CustomHeader[];
  /** The values of the secret ones, in one sealed record; null: there are none. */
  readonly sealedHeaders: string | null;
  readonly signature: SignatureSetting;
  /** `whpk_…` of the key pair that `v1a` signs with; null: it has none. */
  readonly publicKey: string | null;
  /** Its private half, sealed. */
  readonly sealedKey: string | null;
  /** That of the pair before the last rotation: signs as well for as long as the previous secret does. */
  readonly sealedPreviousKey: string | null;
}

export const DEFAULT_SETTINGS: SubscriptionSettings = {
  retrySchedule: 'default',
  timeoutSeconds: null,
  rateLimit: null,
  batch: null,
  ordering: DEFAULT_ORDERING,
  circuit: DEFAULT_CIRCUIT_RULE,
  template: DEFAULT_TEMPLATE,
  headers: [],
  sealedHeaders: null,
  signature: DEFAULT_SIGNATURE,
  publicKey: null,
  sealedKey: null,
  sealedPreviousKey: null,
};

/** Bounds of a time budget. Longer ones would keep places from others, and a process from stopping. */
export const MIN_TIMEOUT_SECONDS = 1;
export const MAX_TIMEOUT_SECONDS = 30;

/** Undefined fields stay as they are, null ones go back to their default. */
export interface SettingsChange {
  readonly retrySchedule?: RetrySchedule | null | undefined;
  readonly timeoutSeconds?: number | null | undefined;
  readonly rateLimit?: RateLimit | null | undefined;
  readonly batch?: Batch | null | undefined;
  readonly ordering?: Ordering | null | undefined;
  readonly circuit?: CircuitWish | null | undefined;
  readonly template?: Template | null | undefined;
  readonly headers?: HeadersWish | null | undefined;
  readonly signature?: SignatureWish | null | undefined;
}

/** What of a change has to be sealed before it can be kept. */
export interface SettingsSealing {
  headers(wish: HeadersWish, current: SubscriptionSettings): SealedHeaders;
  signature(wish: SignatureWish, current: SubscriptionSettings): SealedSignature;
}

export type SealedHeaders = Pick<SubscriptionSettings, 'headers' | 'sealedHeaders'>;
export type SealedSignature = Pick<
  SubscriptionSettings,
  'signature' | 'publicKey' | 'sealedKey' | 'sealedPreviousKey'
>;

/** The form in which they are stored and handed to attempts: only what differs from the default. */
export interface StoredSettings {
  readonly retry_schedule?: Exclude<RetrySchedule, 'default'>;
  readonly timeout_seconds?: number;
  readonly rate_limit?: { readonly max: number; readonly per_seconds: number };
  readonly batch?: StoredBatch;
  readonly ordering?: Exclude<Ordering, 'unordered'>;
  readonly circuit?: StoredCircuit;
  readonly template?: Template;
  /** Pairs, because jsonb does not keep the order of names. */
  readonly headers?: readonly (readonly [name: string, value: string | null])[];
  readonly sealed_headers?: string;
  readonly signature?: Required<SignatureWish>;
  readonly public_key?: string;
  readonly sealed_key?: string;
  readonly sealed_previous_key?: string;
}

/** Every problem of a change, by the names of the API. */
export function settingsProblems(change: SettingsChange): FieldProblem[] {
  const { retrySchedule, timeoutSeconds, rateLimit, batch, ordering, circuit, template, headers, signature } =
    change;
  return [
    ...(retrySchedule == null ? [] : retryScheduleProblems(retrySchedule, ['retry_schedule'])),
    ...(timeoutSeconds == null ? [] : timeoutProblems(timeoutSeconds, ['timeout_seconds'])),
    ...(rateLimit == null ? [] : rateLimitProblems(toStoredRate(rateLimit), ['rate_limit'])),
    ...(batch == null ? [] : batchProblems(toStoredBatch(batch), ['batch'])),
    ...(ordering == null ? [] : orderingProblems(ordering, ['ordering'])),
    ...(circuit == null ? [] : circuitProblems(circuit, ['circuit'])),
    ...(template == null ? [] : templateProblems(template, ['template'])),
    ...(headers == null ? [] : headersProblems(headers, ['headers'])),
    ...(signature == null ? [] : signatureProblems(signature, ['signature'])),
  ];
}

/** Checks what somebody wants as a time budget. */
export function timeoutProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  return integerProblems(value, path, MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS);
}

/** The settings after a change. */
export function changedSettings(
  current: SubscriptionSettings,
  {
    retrySchedule,
    timeoutSeconds,
    rateLimit,
    batch,
    ordering,
    circuit,
    template,
    headers,
    signature,
  }: SettingsChange,
  sealing: SettingsSealing,
): SubscriptionSettings {
  return {
    ...current,
    retrySchedule: changed(current.retrySchedule, retrySchedule, DEFAULT_SETTINGS.retrySchedule),
    timeoutSeconds: changed(current.timeoutSeconds, timeoutSeconds, DEFAULT_SETTINGS.timeoutSeconds),
    rateLimit: changed(current.rateLimit, rateLimit, DEFAULT_SETTINGS.rateLimit),
    batch: changed(current.batch, batch, null),
    ordering: changed(current.ordering, ordering, DEFAULT_ORDERING),
    circuit: circuit === undefined ? current.circuit : wantedCircuit(circuit ?? {}),
    template: changed(current.template, template, DEFAULT_TEMPLATE),
    ...(headers === undefined ? {} : sealing.headers(headers ?? {}, current)),
    ...(signature === undefined ? {} : sealing.signature(signature ?? {}, current)),
  };
}

function changed<T>(current: T, wanted: T | null | undefined, fallback: T): T {
  return wanted === undefined ? current : (wanted ?? fallback);
}

/** @returns null when everything is as it is by default */
export function toStoredSettings(settings: SubscriptionSettings): StoredSettings | null {
  const { retrySchedule, timeoutSeconds, rateLimit, template, headers, sealedHeaders, signature } = settings;
  const { publicKey, sealedKey, sealedPreviousKey, circuit, ordering, batch } = settings;
  const stored: StoredSettings = {
    ...(retrySchedule === 'default' ? {} : { retry_schedule: retrySchedule }),
    ...(timeoutSeconds === null ? {} : { timeout_seconds: timeoutSeconds }),
    ...(rateLimit === null ? {} : { rate_limit: toStoredRate(rateLimit) }),
    ...(batch === null ? {} : { batch: toStoredBatch(batch) }),
    ...(ordering === 'unordered' ? {} : { ordering }),
    ...(isDefaultCircuit(circuit) ? {} : { circuit: shownCircuitRule(circuit) }),
    ...(template === DEFAULT_TEMPLATE ? {} : { template }),
    ...(headers.length === 0 ? {} : { headers: headers.map(({ name, value }) => [name, value] as const) }),
    ...(sealedHeaders === null ? {} : { sealed_headers: sealedHeaders }),
    ...(isDefault(signature) ? {} : { signature: shownSignature(signature) }),
    ...(publicKey === null ? {} : { public_key: publicKey }),
    ...(sealedKey === null ? {} : { sealed_key: sealedKey }),
    ...(sealedPreviousKey === null ? {} : { sealed_previous_key: sealedPreviousKey }),
  };
  return Object.keys(stored).length === 0 ? null : stored;
}

function isDefault({ scheme, alg, ttlSeconds }: SignatureSetting): boolean {
  const standard = DEFAULT_SIGNATURE;
  return scheme === standard.scheme && alg === standard.alg && ttlSeconds === standard.ttlSeconds;
}

export function fromStoredSettings(stored: StoredSettings | null): SubscriptionSettings {
  return {
    retrySchedule: stored?.retry_schedule ?? DEFAULT_SETTINGS.retrySchedule,
    timeoutSeconds: stored?.timeout_seconds ?? DEFAULT_SETTINGS.timeoutSeconds,
    rateLimit: stored?.rate_limit === undefined ? null : fromStoredRate(stored.rate_limit),
    batch: stored?.batch === undefined ? null : wantedBatch(stored.batch),
    ordering: stored?.ordering ?? DEFAULT_ORDERING,
    circuit: stored?.circuit === undefined ? DEFAULT_CIRCUIT_RULE : wantedCircuit(stored.circuit),
    template: stored?.template ?? DEFAULT_TEMPLATE,
    headers: stored?.headers?.map(([name, value]) => ({ name, value })) ?? DEFAULT_SETTINGS.headers,
    sealedHeaders: stored?.sealed_headers ?? DEFAULT_SETTINGS.sealedHeaders,
    signature: stored?.signature === undefined ? DEFAULT_SIGNATURE : wantedSignature(stored.signature),
    publicKey: stored?.public_key ?? null,
    sealedKey: stored?.sealed_key ?? null,
    sealedPreviousKey: stored?.sealed_previous_key ?? null,
  };
}

type StoredRate = NonNullable<StoredSettings['rate_limit']>;

export function toStoredRate({ max, perSeconds }: RateLimit): StoredRate {
  return { max, per_seconds: perSeconds };
}

export function fromStoredRate({ max, per_seconds: perSeconds }: StoredRate): RateLimit {
  return { max, perSeconds };
}
