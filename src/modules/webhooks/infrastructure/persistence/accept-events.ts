import type {
  BornDeliveries,
  IntakeResult,
  RequestedEvent,
  WaitingDelivery,
} from '../../application/ports/event-intake.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';
import { resourceIdOf } from '../../domain/resource-id.js';
import type { Lease } from './claim-deliveries.js';
import type { HotStatements } from './hot-statements.js';
import type { Judgements, Undecided } from './known-filters.js';
import { notStored, type FanOutRow } from './not-stored.js';

export interface Births {
  /** Lanes that are known, with what this process has free for them, and what their endpoints may still get. */
  readonly lanes: readonly { readonly id: string; readonly places: number; readonly left: number }[];
  /** For other lanes; null: this process does not deliver, and nothing is born claimed. */
  readonly unknownPlaces: number | null;
  readonly perLane: number;
  /** In one statement. */
  readonly most: number;
  readonly lease: Lease;
}

export type AcceptResult = IntakeResult | Undecided;

/** One row for each event; the arrays have one element for each of its deliveries. */
interface AcceptedRow extends FanOutRow {
  /** Which of the events, from 1. */
  readonly n: number;
  readonly born: boolean[];
  readonly urls: (string | null)[];
  readonly secrets: (string | null)[];
  readonly previous_secrets: (string | null)[];
  readonly settings: (string | null)[];
  readonly epochs: (number | null)[];
}

const ACCEPT = `SELECT * FROM webhook_accept($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20::jsonb, $21, $22)`;

/** Stores events in one statement that commits by itself; answers one result for each, in order. */
export async function acceptEvents(
  statements: HotStatements,
  events: readonly RequestedEvent[],
  births: Births,
  /** One for each event, or none; null: nothing is known of its filters. */
  judgements: readonly (Judgements | null)[] = [],
): Promise<AcceptResult[]> {
  const column = <T>(read: (event: RequestedEvent) => T): T[] => events.map(read);
  const rows = await statements.run<AcceptedRow>(ACCEPT, [
    column(({ tenantId }) => tenantId),
    column(({ id }) => id),
    column(({ event }) => event),
    // Patterns have no spaces.
    column(({ patterns }) => patterns.join(' ')),
    column(({ payload }) => payload),
    column(({ idempotencyKey }) => idempotencyKey),
    column(({ fingerprint }) => fingerprint),
    column(({ requestedBy }) => requestedBy.subject),
    column(({ requestedBy }) => requestedBy.requestId),
    births.lanes.map(({ id }) => id),
    births.lanes.map(({ places }) => places),
    births.lanes.map(({ left }) => left),
    births.unknownPlaces ?? 0,
    births.perLane,
    births.most,
    births.lease.token,
    births.unknownPlaces === null ? null : births.lease.owner,
    births.lease.ms,
    births.lease.marginMs,
    judgedText(judgements),
    column(({ payload }) => resourceIdOf(payload)),
    column(({ orderingKey }) => orderingKey ?? null),
  ]);
  const results: (AcceptResult | undefined)[] = events.map(() => undefined);
  for (const row of rows) {
    const event = events[row.n - 1];
    if (event !== undefined) results[row.n - 1] = resultOf(event, row, births.lease.token);
  }
  return results.map((result) => {
    if (result === undefined) throw new Error('webhook_accept answered fewer events than it was given');
    return result;
  });
}

/** By number of the event, from 1; null when there is nothing, which costs the database nothing. */
function judgedText(judgements: readonly (Judgements | null)[]): string | null {
  const known = judgements.flatMap((of, n) => (of === null ? [] : [[n + 1, of] as const]));
  return known.length === 0 ? null : JSON.stringify(Object.fromEntries(known));
}

function resultOf(event: RequestedEvent, row: AcceptedRow, leaseToken: string): AcceptResult {
  const refused = notStored(row);
  if (refused !== null) return refused;
  const born: BornDeliveries[] = [];
  const waiting: WaitingDelivery[] = [];
  row.subscription_ids.forEach((subscriptionId, index) => {
    const lane = { tenantId: event.tenantId, subscriptionId };
    if (row.born[index] !== true) waiting.push({ lane, id: row.delivery_ids[index] ?? '' });
    else born.push({ lane, claims: [bornClaim(event, lane, row, index, leaseToken)] });
  });
  return { kind: 'stored', deliveryIds: row.delivery_ids, born, waiting };
}

function bornClaim(
  event: RequestedEvent,
  lane: Lane,
  row: AcceptedRow,
  index: number,
  leaseToken: string,
): ClaimedDelivery {
  return {
    tenantId: lane.tenantId,
    subscriptionId: lane.subscriptionId,
    id: row.delivery_ids[index] ?? '',
    eventId: event.id,
    event: event.event,
    payload: event.payload,
    payloadExpired: false,
    attemptNumber: 1,
    autoAttempts: 1,
    trigger: 'auto',
    isRetry: false,
    waitMs: 0,
    epoch: row.epochs[index] ?? 0,
    isProbe: false,
    leaseToken,
    targetUrl: row.urls[index] ?? '',
    sealedSecret: row.secrets[index] ?? '',
    sealedPreviousSecret: row.previous_secrets[index] ?? null,
    settings: row.settings[index] ?? null,
    subscriptionActive: true,
  };
}
