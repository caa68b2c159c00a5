import type { ClaimedDelivery } from './delivery.js';

/** Every delivery of a request: the one that stands for it, and those that go with it. */
export function membersOf(claim: ClaimedDelivery): ClaimedDelivery[] {
  // Most are alone, and are asked after several times on their way.
  if (claim.together === undefined) return [claim];
  const { together, ...first } = claim;
  return [first, ...together];
}

/** The first stands for the request. @returns null when there is none */
export function asOne(members: readonly ClaimedDelivery[]): ClaimedDelivery | null {
  const [first, ...together] = members;
  if (first === undefined) return null;
  return together.length === 0 ? first : { ...first, together };
}
