import type { Socket } from 'node:net';
import { BudgetExceededError, TlsHandshakeError } from './send-errors.js';

/** The next address is tried when one takes longer: a first packet that was lost is sent again after 1 s. */
const NEXT_ADDRESS_AFTER_MS = 1_000;

/** A connection to one address that is being made. */
export interface Opening {
  readonly ready: Promise<Socket>;
  /** The TCP connection stands, TLS not yet. */
  readonly isHandshaking: boolean;
  cancel(): void;
}

/** What is being waited for, as far as it says more than the time. */
export function phaseOf(openings: Iterable<Opening>): 'TLS handshake' | null {
  return [...openings].some(({ isHandshaking }) => isHandshaking) ? 'TLS handshake' : null;
}

/**
 * The first connection that comes about. Addresses start one after the other, the next when one failed or takes long, and
 * none is given up for another's sake (as in RFC 8305): each may use all that is left of the budget.
 *
 * Rejects with the failure of the first address, because after it come IPv6 ones that half of all hosts cannot reach; or
 * with that of TLS, where somebody answered. TLS fails for the name, so no further address is tried after it.
 */
export function dialFirst(
  addresses: readonly string[],
  open: (address: string) => Opening,
  budgetMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const waiting = [...addresses];
    const openings = new Set<Opening>();
    let failure: Error | null = null;
    let nextTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearTimeout(budgetTimer);
      clearTimeout(nextTimer);
      waiting.length = 0;
      for (const opening of openings) opening.cancel();
      openings.clear();
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    const budgetTimer = setTimeout(
      () => fail(new BudgetExceededError(phaseOf(openings))),
      Math.max(budgetMs, 0),
    );
    const startNext = (): void => {
      clearTimeout(nextTimer);
      const address = waiting.shift();
      if (address === undefined) return;
      const opening = open(address);
      openings.add(opening);
      opening.ready.then(
        (socket) => {
          // Of two that come about in the same moment, the second was cancelled by the first.
          if (!openings.delete(opening)) return void socket.destroy();
          stop();
          resolve(socket);
        },
        (error: Error) => {
          if (!openings.delete(opening)) return;
          if (error instanceof TlsHandshakeError) {
            waiting.length = 0;
            failure = error;
          }
          failure ??= error;
          startNext();
          if (openings.size === 0) fail(failure);
        },
      );
      if (waiting.length > 0) nextTimer = setTimeout(startNext, NEXT_ADDRESS_AFTER_MS);
    };
    startNext();
  });
}
