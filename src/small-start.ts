import { setFlagsFromString } from 'node:v8';

/**
 * While a service starts it makes much that stays, and V8 takes that for a reason to let its young generation grow to the most that it
 * may have, 32 MiB, which a process that has nothing to do then keeps. Here it does not grow.
 *
 * @returns ends that: from then on it grows with what the process does
 */
export function startSmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => setFlagsFromString('--semi-space-growth-factor=2');
}
