import { tookTooLong } from '../../../../platform/database/sqlstate.js';
import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { AttemptResult, Recorded } from '../../application/ports/delivery-lanes.js';
import { isRefused, newPatience, untilWritten, type Patience } from './until-written.js';

/**
 * Writes results together. While the database is away they wait; where it refuses a statement, or takes too long for it, the halves
 * of it are tried, until what is refused stands alone and keeps no other from being written. Two results of one attempt are such a
 * case: a crash of the database takes back a claim that was committed asynchronously, and it is made again under the same number.
 */
export class ResultWriter {
  constructor(
    private readonly record: (results: readonly AttemptResult[]) => Promise<Recorded[]>,
    private readonly logger: AppLogger,
    private readonly pause?: (ms: number) => Promise<void>,
  ) {}

  /** @returns one for each, in order; an error for what is left to the sweep, which gives its lease back */
  async write(results: readonly AttemptResult[]): Promise<(Recorded | Error)[]> {
    return this.writeWithin(newPatience(), results);
  }

  private async writeWithin(
    patience: Patience,
    results: readonly AttemptResult[],
  ): Promise<(Recorded | Error)[]> {
    const goesInHalves = (cause: unknown): boolean =>
      isRefused(cause) || (results.length > 1 && tookTooLong(cause));
    const told = {
      waits: (cause: unknown): void => {
        this.logger.warn('Results of attempts wait for the database', { count: results.length, cause });
      },
      written: (waitedMs: number): void => {
        this.logger.info('Results of attempts that waited are written', { count: results.length, waitedMs });
      },
    };
    try {
      return await untilWritten(() => this.record(results), {
        told,
        isOver: goesInHalves,
        patience,
        pause: this.pause,
      });
    } catch (cause) {
      if (goesInHalves(cause) && patience.leftMs > 0)
        return this.writeApart(patience, results, asError(cause));
      return results.map(() => asError(cause));
    }
  }

  private async writeApart(
    patience: Patience,
    results: readonly AttemptResult[],
    cause: Error,
  ): Promise<(Recorded | Error)[]> {
    const [first] = results;
    if (first === undefined) return [];
    if (results.length === 1) {
      // What the receiver answered is the one part that is not ours, and not worth a second request.
      if (first.responseBody === null && first.responseHeaders === null) return [cause];
      return this.writeWithin(patience, [{ ...first, responseBody: null, responseHeaders: null }]);
    }
    const middle = Math.ceil(results.length / 2);
    const before = await this.writeWithin(patience, results.slice(0, middle));
    return [...before, ...(await this.writeWithin(patience, results.slice(middle)))];
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
