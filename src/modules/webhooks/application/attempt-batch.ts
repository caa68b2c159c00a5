import { batchBody, batchId, batchStep, fitting } from '../domain/batch.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { RequestBody } from '../domain/preset-body.js';
import { nextStep, type NextStep } from '../domain/retry-policy.js';
import type { RetryWaits } from '../domain/retry-schedule.js';
import type { AttemptEnd } from './attempt-delivery.js';
import type { MadeAttempt, NotMade } from './make-request.js';
import type { Rendered } from './render-body.js';

/** What an attempt is made of, for a request of several deliveries. */
export interface AttemptParts {
  readonly waits: RetryWaits;
  render(claim: ClaimedDelivery): Promise<Rendered>;
  /** Signs and sends. @returns why there was no request, when there was none */
  send(
    claim: ClaimedDelivery,
    body: RequestBody,
    added: Readonly<Record<string, string>>,
  ): Promise<MadeAttempt | NotMade>;
  /** Writes what a delivery came to. @param isFirst of its request: the endpoint is told of one attempt, not of many */
  write(claim: ClaimedDelivery, made: MadeAttempt, next: NextStep, isFirst: boolean): Promise<AttemptEnd>;
  /** The endpoint saw nothing of it, because of its template. */
  writeUnmade(
    claim: ClaimedDelivery,
    rendered: Extract<Rendered, { readonly reason: string }>,
  ): Promise<AttemptEnd>;
  /** For a while, with what else is due in the lane; or not at all, where others may have them. */
  hold(claims: readonly ClaimedDelivery[], why: 'busy' | NotMade): Promise<AttemptEnd>;
  /** What goes into a request of its own. */
  giveBack(claims: readonly ClaimedDelivery[]): Promise<void>;
}

/** Where the deliveries of a request go, as one. */
const GIVEN_BACK: AttemptEnd = {
  next: { status: 'PENDING', delayMs: 0 },
  isMoreDue: true,
};

/** Sends several deliveries in one request, each of which has an attempt and a state of its own. */
export async function attemptTogether(
  claims: readonly ClaimedDelivery[],
  parts: AttemptParts,
): Promise<AttemptEnd> {
  if (claims.length > 1 && parts.waits.retries === 0) return oneByOne(claims, parts);
  const rendered = await Promise.all(
    claims.map(async (claim) => ({ claim, made: await parts.render(claim) })),
  );
  if (rendered.some(({ made }) => made.kind === 'busy')) return parts.hold(claims, 'busy');
  const ends: AttemptEnd[] = [];
  const ready: {
    readonly claim: ClaimedDelivery;
    readonly body: RequestBody;
  }[] = [];
  for (const { claim, made } of rendered) {
    if (made.kind === 'made') ready.push({ claim, body: made.body });
    else if (made.kind !== 'busy') ends.push(await parts.writeUnmade(claim, made));
  }
  if (ready.length > 0) ends.push(...(await sent(ready, parts)));
  return endOf(ends);
}

async function sent(
  ready: readonly {
    readonly claim: ClaimedDelivery;
    readonly body: RequestBody;
  }[],
  parts: AttemptParts,
): Promise<AttemptEnd[]> {
  const count = fitting(ready.map(({ body }) => body));
  const members = ready.slice(0, count).map(({ claim }) => claim);
  const others = ready.slice(count).map(({ claim }) => claim);
  const [first] = members;
  if (first === undefined) return [];
  if (others.length > 0) await parts.giveBack(others);
  const ids = members.map(({ id }) => id);
  const names = [...new Set(members.map(({ event }) => event))];
  const request = {
    ...first,
    id: batchId(ids),
    event: names.length === 1 ? first.event : '*',
  };
  const body = batchBody(ready.slice(0, count).map((one) => one.body));
  const made = await parts.send(request, body, {
    'X-Delivery-Ids': ids.join(','),
  });
  if (typeof made === 'string') return [await parts.hold(members, made)];
  const step = batchStep(made.outcome, first, parts.waits, members.length);
  const ends = await Promise.all(
    members.map((claim, n) => {
      // A schedule that was made shorter meanwhile, or an attempt by hand, may leave one with fewer than the others.
      const isOver =
        step.status === 'PENDING' && step.isApart !== true && claim.autoAttempts > parts.waits.retries;
      return parts.write(claim, made, isOver ? nextStep(made.outcome, claim, parts.waits) : step, n === 0);
    }),
  );
  return others.length > 0 ? [...ends, GIVEN_BACK] : ends;
}

/** Without a retry there is no last one to go alone: nobody's event fails for another's. */
async function oneByOne(claims: readonly ClaimedDelivery[], parts: AttemptParts): Promise<AttemptEnd> {
  const ends: AttemptEnd[] = [];
  for (const claim of claims) ends.push(await attemptTogether([claim], parts));
  return endOf(ends);
}

/** What the lane is rung for: the first retry, or its end. */
function endOf(ends: readonly AttemptEnd[]): AttemptEnd {
  const isMoreDue = ends.some((end) => end.isMoreDue);
  const waiting = ends.flatMap(({ next }) => (next.status === 'PENDING' ? [next] : []));
  const ended = ends.find(({ next }) => next.status === 'FAILED' && next.deactivate) ?? ends[0];
  const soonest = waiting.sort((a, b) => a.delayMs - b.delayMs)[0];
  return { next: soonest ?? ended?.next ?? { status: 'DELIVERED' }, isMoreDue };
}
