import type { ClaimedDelivery } from './delivery.js';

/** Every delivery of a request: the one that stands for it, and those that go with it. */
export function membersOf(claim: ClaimedDelivery): ClaimedDelivery[] {
  const { together, ...first } = claim;
  return together === undefined ? [claim] : [first, ...together];
}

/** The first stands for the request. @returns null when there is none */
export function asOne(members: readonly ClaimedDelivery[]): ClaimedDelivery | null {
  const [first, ...together] = members;
  if (first === undefined) return null;
  return together.length === 0 ? first : { ...first, together };
}
