import { FREE_INTERRUPTIONS } from '../../../src/modules/webhooks/domain/delivery.js';
import { gateViolationsOf } from './gates.js';
import { orderViolationsOf } from './order.js';
import {
  groupBy,
  isDelivered,
  type AttemptState,
  type DeliveryState,
  type Incident,
  type RunHistory,
  type SeenRequest,
} from './history.js';

/** Milliseconds between an answer and its result in the database: died in between, an attempt may be repeated. */
const RESULT_WINDOW_MS = 10_000;

/** Milliseconds by which the receiver can see a request later than its sender died: it shares the machine's processors. */
const ARRIVAL_LAG_MS = 8_000;

/** Errors after which no further attempt is right, however many are left. */
const PERMANENT = /^(HTTP 4(?!08|09|25|29)\d\d|Blocked target: .*|Subscription deactivated)$/;

/**
 * Holds a run against the engine's invariants 1 to 3, and against what its lanes ask for. Pure: it knows nothing but the history it is given.
 *
 * @returns one line for each violation; empty when there is none
 */
export function violationsOf(run: RunHistory): string[] {
  const requestsOf = groupBy(run.requests, (request) => request.webhookId);
  const attemptsOf = groupBy(run.attempts, (attempt) => attempt.deliveryId);
  return [
    ...everyEventCameToItsEnd(run),
    ...everyRequestBelongsToADelivery(run),
    ...everyBatchKeepsItsId(run),
    ...orderViolationsOf(run, strikes),
    ...gateViolationsOf(run, strikes),
    ...(run.forged ?? []),
    ...run.deliveries.flatMap((delivery) => {
      const requests = (requestsOf.get(delivery.id) ?? []).sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
      return [
        ...cameToItsEnd(delivery, requests, run),
        ...notMoreAttemptsThanAllowed(delivery, requests, run),
        ...repeatedOnlyByIncident(delivery, requests, attemptsOf.get(delivery.id) ?? [], run),
        ...countersMatchAttempts(delivery, attemptsOf.get(delivery.id) ?? []),
      ];
    }),
    ...run.overdueLeases.map(
      ({ deliveryId, overdueMs }) =>
        `delivery ${deliveryId} was SENDING ${Math.round(overdueMs)} ms after its lease`,
    ),
  ];
}

/** Invariant 1: committed is delivered or failed; rolled back has neither row nor request. */
function everyEventCameToItsEnd(run: RunHistory): string[] {
  const deliveriesOf = groupBy(run.deliveries, (delivery) => delivery.eventNumber);
  const requestsOf = groupBy(run.requests, (request) => request.eventNumber);
  return run.events.flatMap(({ number, fate, isKeptBack }) => {
    const rows = deliveriesOf.get(number)?.length ?? 0;
    const requests = requestsOf.get(number)?.length ?? 0;
    if (fate === 'rolled_back' || isKeptBack === true) {
      const why = fate === 'rolled_back' ? 'was rolled back' : 'does not pass the filter of its lane';
      return rows + requests === 0
        ? []
        : [`event ${number} ${why}, but has ${rows} deliveries and ${requests} requests`];
    }
    if (rows > 1) return [`event ${number} has ${rows} deliveries for its one subscription`];
    if (rows === 1) return [];
    if (fate === 'committed') return [`event ${number} was committed, but has no delivery`];
    return requests === 0 ? [] : [`event ${number} has no delivery, but ${requests} requests`];
  });
}

/** Invariant 2: one `webhook-id` for all attempts of a delivery. */
function everyRequestBelongsToADelivery(run: RunHistory): string[] {
  const known = new Map(run.deliveries.map((delivery) => [delivery.id, delivery]));
  return run.requests.flatMap((request) => {
    const delivery = known.get(request.webhookId);
    const isRight =
      delivery?.eventNumber === request.eventNumber &&
      delivery.lane === request.lane &&
      request.deliveryIdHeader === delivery.id;
    const what = `event ${request.eventNumber} to lane ${request.lane}`;
    return isRight
      ? []
      : [`a request of ${what} came with webhook-id ${request.webhookId}, not its delivery's`];
  });
}

/** Invariant 2 where several go in one request: one `webhook-id` for the same of them, and for no others. */
function everyBatchKeepsItsId({ requests }: RunHistory): string[] {
  const idOf = new Map<string, string>();
  const membersOf = new Map<string, string>();
  const batches = groupBy(
    requests.filter(({ batch }) => batch !== undefined),
    ({ batch }) => batch?.number,
  );
  return [...batches.values()].flatMap((members) => {
    const ids = members.map(({ webhookId }) => webhookId).sort();
    const id = members[0]?.batch?.webhookId ?? '';
    const all = ids.join(', ');
    const isRight = (idOf.get(all) ?? id) === id && (membersOf.get(id) ?? all) === all;
    idOf.set(all, id);
    membersOf.set(id, all);
    const isOwn = ids.length > 1 || ids[0] === id;
    return isRight && isOwn ? [] : [`a request of ${all} came with webhook-id ${id}, not theirs`];
  });
}

function cameToItsEnd(delivery: DeliveryState, requests: readonly SeenRequest[], run: RunHistory): string[] {
  const name = nameOf(delivery);
  if (delivery.status === 'DELIVERED') {
    return requests.some(isDelivered) ? [] : [`${name} is DELIVERED, but the receiver never answered 2xx`];
  }
  if (delivery.status !== 'FAILED') return [`${name} was left ${delivery.status}`];
  const isSpent =
    delivery.autoAttempts === allowedOf(delivery, run) || PERMANENT.test(delivery.lastError ?? '');
  return isSpent
    ? []
    : [`${name} FAILED after ${delivery.autoAttempts} attempts with: ${delivery.lastError}`];
}

/** Invariant 3. */
function notMoreAttemptsThanAllowed(
  delivery: DeliveryState,
  requests: readonly SeenRequest[],
  run: RunHistory,
): string[] {
  const { incidents } = run;
  const name = nameOf(delivery);
  const problems: string[] = [];
  const allowed = allowedOf(delivery, run);
  if (delivery.autoAttempts > allowed) {
    problems.push(`${name} has ${delivery.autoAttempts} automatic attempts of ${allowed} allowed`);
  }
  // A crash may take the claim of what was sent with it: the row then knows of one attempt less.
  const forgotten = requests.filter((request) =>
    incidents.some((incident) => incident.worker === null && strikes(incident, request)),
  );
  if (requests.length - forgotten.length > delivery.attempts) {
    problems.push(`${name} was sent ${requests.length} times in ${delivery.attempts} attempts`);
  }
  return problems;
}

/**
 * Invariant 2: after a 2xx, or beside an attempt that is still open, another request may come only because the process
 * of the earlier one died or lost its lease during that very attempt; so each such process allows one more, not two. Or
 * because the answer crossed the end of the attempt's budget, which its log must then say.
 */
function repeatedOnlyByIncident(
  delivery: DeliveryState,
  requests: readonly SeenRequest[],
  attempts: readonly AttemptState[],
  run: RunHistory,
): string[] {
  const isOpenAt = (earlier: SeenRequest, next: SeenRequest): boolean =>
    earlier.endedAtMs === null || earlier.endedAtMs > next.arrivedAtMs;
  const repeated = requests.flatMap((earlier, index) => {
    const next = requests.slice(index + 1).find((later) => isDelivered(earlier) || isOpenAt(earlier, later));
    if (next === undefined || run.incidents.some((incident) => strikes(incident, earlier))) return [];
    return [{ earlier, next }];
  });
  const unanswered = requests.filter(
    (request) => request.answeredStatus === null && !repeated.some(({ earlier }) => earlier === request),
  );
  const timedOut = attempts.filter(
    ({ errorClass, durationMs }) => errorClass === 'timeout' && durationMs >= run.budgetMs,
  );
  // A request that got no answer is what its own timeout was about.
  return repeated.slice(Math.max(0, timedOut.length - unanswered.length)).map(({ earlier, next }) => {
    const why = isDelivered(earlier) ? 'had been answered 2xx' : 'was still open';
    const when = `${next.arrivedAtMs - earlier.arrivedAtMs} ms later`;
    return `${nameOf(delivery)} was sent again by ${next.worker} ${when} although ${earlier.worker}'s request ${why}`;
  });
}

/** Automatic attempts. */
function allowedOf({ lane }: DeliveryState, { maxRetries, retriesOf }: RunHistory): number {
  return (retriesOf?.get(lane) ?? maxRetries) + 1;
}

function strikes(incident: Incident, request: SeenRequest): boolean {
  return (
    (incident.worker === null || incident.worker === request.worker) &&
    request.arrivedAtMs <= incident.toMs + ARRIVAL_LAG_MS &&
    (request.endedAtMs ?? Infinity) + RESULT_WINDOW_MS >= incident.fromMs
  );
}

function countersMatchAttempts(delivery: DeliveryState, attempts: readonly AttemptState[]): string[] {
  const numbers = attempts.map((attempt) => attempt.number).sort((a, b) => a - b);
  const automatic = attempts.filter((attempt) => attempt.trigger === 'auto').length;
  const probes = attempts.filter(({ isProbe, error }) => isProbe === true && error !== null).length;
  const isRight =
    numbers.length === delivery.attempts &&
    numbers.every((number, index) => number === index + 1) &&
    // Attempts that ended with their process are logged, and the first few use up nothing of the schedule.
    automatic >= delivery.autoAttempts &&
    automatic <= delivery.autoAttempts + Math.min(delivery.interruptions, FREE_INTERRUPTIONS) + probes;
  if (isRight) return [];
  const counters =
    `${delivery.attempts} attempts, ${delivery.autoAttempts} automatic of the schedule, ` +
    `${delivery.interruptions} interrupted`;
  return [
    `${nameOf(delivery)} counts ${counters}; its log has ${numbers.join(', ')}, ${automatic} automatic`,
  ];
}

function nameOf(delivery: DeliveryState): string {
  return `delivery ${delivery.id} (event ${delivery.eventNumber})`;
}
