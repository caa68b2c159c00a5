import { cpuMs } from './loop-watch.js';

/** Pieces of a text, in turn: V8 compiles on the way what it sees often, and what is compiled is what a service runs. */
const PIECES = [5_000, 5_000, 25_000, 25_000, 50_000, 50_000, 200_000];

/** What a busy machine may add, in milliseconds of CPU. */
const FLOOR_MS = 200;

/**
 * How much longer a walk through a long text takes than what is fair: 20 times of what JSON.parse takes for it. Below 1 is well; a
 * walk whose time grows with the square of the length comes to 50 and more.
 */
export function timeBesideParsing(
  walk: (text: string) => unknown,
  textOf: (pieces: number) => string,
): number {
  let factor = 0;
  for (const pieces of PIECES) {
    // As texts come from a socket: flat, and in no other string.
    const text = Buffer.from(textOf(pieces)).toString('utf8');
    const fairMs = Math.max(FLOOR_MS, 20 * cpuMs(() => JSON.parse(text) as unknown));
    factor = cpuMs(() => walk(text)) / fairMs;
  }
  return factor;
}
