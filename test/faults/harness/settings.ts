import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The compiled service under test: `dist/`, or another build whose sources were broken on purpose (docs/faults.md). */
export const BUILD = resolve(process.env['FAULTS_BUILD'] ?? join(HERE, '../../../dist'));

/** Whether the suite runs in full (`npm run test:faults`) or in the short form that is part of `npm test`. */
export const IS_FULL = process.env['FAULTS'] === 'full';

/** The size of a fault in the two forms of the suite. */
export function size<T>(short: T, full: T): T {
  return IS_FULL ? full : short;
}

/** What rings go through where a test does not say: FAULTS_BROKER, or Redis. */
export const BROKER = process.env['FAULTS_BROKER'] === 'postgres' ? 'postgres' : 'redis';

/** The path of a script that lies beside this file. */
export function harnessScript(name: string): string {
  return join(HERE, name);
}

/** The seed of the short form: every run of `npm test` goes the same way as far as signals and sockets can. */
const SHORT_SEED = 1_421_940_839;

/** The seed of this run: FAULTS_SEED, or, in the full form, one that nobody chose. */
export function chosenSeed(): number {
  const given = process.env['FAULTS_SEED'];
  if (given !== undefined) return Number(given);
  return IS_FULL ? Math.floor(Math.random() * 2 ** 31) : SHORT_SEED;
}

/** Past jest, which keeps back what tests print until they end: a run that hangs must have said its seed. */
export function sayHowToRepeat(seed: number): void {
  process.stderr.write(`\nFaults with seed ${seed}; to repeat: FAULTS_SEED=${seed} npm run test:faults\n`);
}
