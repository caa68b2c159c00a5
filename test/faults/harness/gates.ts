import { groupBy, type ClosedTime, type Incident, type RunHistory, type SeenRequest } from './history.js';

type Strikes = (incident: Incident, request: SeenRequest) => boolean;

/** Milliseconds by which two clocks of one machine may differ in what they say. */
const CLOCKS_MS = 20;

/** What may keep a lane back: what is closed sends nothing, and a rate gives every request a time before which it does not go. */
export function gateViolationsOf(run: RunHistory, strikes: Strikes): string[] {
  const { incidents } = run;
  const isStruck = (request: SeenRequest): boolean =>
    incidents.some((incident) => strikes(incident, request));
  return [
    ...(run.closed ?? []).flatMap((time) => sentWhileClosed(time, run.requests, isStruck)),
    ...[...(run.rated ?? [])].flatMap(([lane, stepMs]) => ofRate(lane, stepMs, run, strikes)),
  ];
}

function sentWhileClosed(
  { lane, why, fromMs, toMs, underWay }: ClosedTime,
  requests: readonly SeenRequest[],
  isStruck: (request: SeenRequest) => boolean,
): string[] {
  const left = new Set(underWay);
  return requests
    .filter((request) => request.lane === lane && request.arrivedAtMs > fromMs && request.arrivedAtMs < toMs)
    .filter((request) => !left.delete(request.webhookId) && !isStruck(request))
    .map(({ eventNumber, arrivedAtMs }) => {
      const afterMs = arrivedAtMs - fromMs;
      return `event ${eventNumber} was sent to lane ${lane} ${afterMs} ms after it was closed (${why})`;
    });
}

/**
 * However late requests are on a busy machine: at no time have there been more of them than slots had come, and slots are a step
 * apart. So no second has more slots than the rate and one.
 */
function ofRate(lane: number, stepMs: number, run: RunHistory, strikes: Strikes): string[] {
  const slots = (run.slots ?? []).filter((slot) => slot.lane === lane).map(({ atMs }) => atMs);
  slots.sort((a, b) => a - b);
  const tooClose = slots.filter((atMs, n) => atMs - (slots[n - 1] ?? -Infinity) < stepMs - 1).length;
  const isForgotten = (request: SeenRequest): boolean =>
    run.incidents.some((incident) => incident.worker === null && strikes(incident, request));
  const ofLane = run.requests.filter((request) => request.lane === lane && !isForgotten(request));
  const single = groupBy(ofLane, ({ batch }) => batch?.number);
  const arrivals = [...single.entries()].flatMap(([number, members]) =>
    (number === undefined ? members : members.slice(0, 1)).map(({ arrivedAtMs }) => arrivedAtMs),
  );
  arrivals.sort((a, b) => a - b);
  const tooSoon = arrivals.filter((atMs, n) => (slots[n] ?? Infinity) > atMs + CLOCKS_MS).length;
  return [
    ...(tooClose === 0 ? [] : [`lane ${lane} has ${tooClose} slots less than ${stepMs} ms after another`]),
    ...(tooSoon === 0
      ? []
      : [`lane ${lane} got ${tooSoon} of ${arrivals.length} requests before their slot`]),
  ];
}
