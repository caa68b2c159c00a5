import {
  groupBy,
  isDelivered,
  type EmittedEvent,
  type Incident,
  type RunHistory,
  type SeenRequest,
} from './history.js';

type Strikes = (incident: Incident, request: SeenRequest) => boolean;

/** A delivery of an ordered lane, with what the receiver saw of it. */
interface Ordered {
  readonly event: EmittedEvent;
  readonly requests: readonly SeenRequest[];
}

/**
 * Of each key of an ordered lane: what was committed before another event was emitted has come to its end before the other is sent
 * for the first time, whatever fails in between. Of two that overlapped, either may be the first. What is sent once more
 * afterwards is a matter of invariant 2.
 */
export function orderViolationsOf(run: RunHistory, strikes: Strikes): string[] {
  const requestsOf = groupBy(run.requests, ({ eventNumber }) => eventNumber);
  const ordered = run.events.filter(({ lane }) => run.ordered?.includes(lane));
  const keys = groupBy(ordered, ({ lane, key }) => `${lane} ${key ?? ''}`);
  return [...keys.values()].flatMap((events) => {
    const seen = events.flatMap((event): Ordered[] => {
      const requests = requestsOf.get(event.number) ?? [];
      return requests.length === 0 ? [] : [{ event, requests }];
    });
    return seen.flatMap((first) =>
      seen
        .filter((second) => isBefore(first.event, second.event) && overtakes(second, first))
        .filter(() => !isForgotten(first, run, strikes))
        .map((second) => `${nameOf(second)} was sent before ${nameOf(first)} of the same key had ended`),
    );
  });
}

function isBefore(first: EmittedEvent, second: EmittedEvent): boolean {
  if (first.times === undefined || second.times === undefined) return false;
  return first.times.committedAtMs < second.times.emittedAtMs;
}

function overtakes(second: Ordered, first: Ordered): boolean {
  const delivered = first.requests.find(isDelivered);
  const endedAtMs =
    delivered?.arrivedAtMs ?? Math.max(...first.requests.map(({ arrivedAtMs }) => arrivedAtMs));
  return second.requests.some((request) => {
    const beside = first.requests.find(
      ({ batch }) => batch !== undefined && batch.number === request.batch?.number,
    );
    // In one request they are in their order.
    if (beside !== undefined) return (beside.batch?.place ?? 0) > (request.batch?.place ?? 0);
    return request.arrivedAtMs < endedAtMs;
  });
}

/** A crash of PostgreSQL may take the end of what was sent before with it: then it is sent once more, after the others. */
function isForgotten({ requests }: Ordered, { incidents }: RunHistory, strikes: Strikes): boolean {
  return requests.some((request) =>
    incidents.some((incident) => incident.worker === null && strikes(incident, request)),
  );
}

function nameOf({ event }: Ordered): string {
  return `event ${event.number}`;
}
