/**
 * `npm run bench [-- --full] [--only drain,api]`: the figures of the delivery engine on this machine, or some of them, in one table;
 * see bench/README.md. It ends with 0 also where a figure falls short, and with 1 where a delivery was lost or doubled. With `--variants` it
 * compares the design with what it was chosen over instead; with `--features` it compares what lanes ask for with lanes that
 * ask for nothing; with `--growth N` it measures growth alone, with `--removal` what removing old history costs.
 */
import 'reflect-metadata';

import { register } from 'node:module';
import { ensureBuilt, ensureInstalled } from './ensure-installed.mjs';

ensureInstalled();
ensureBuilt();
register('../test/support/ts-hooks.mjs', import.meta.url);
if (process.argv.includes('--variants')) {
  const { compareVariants } = await import('../bench/variants/variants.ts');
  await compareVariants();
} else if (process.argv.includes('--features')) {
  const { compareFeatures } = await import('../bench/features.ts');
  await compareFeatures();
} else if (process.argv.includes('--removal')) {
  const { benchRemovals } = await import('../bench/variants/retention.ts');
  await benchRemovals();
} else if (process.argv.includes('--growth')) {
  const { benchGrowth } = await import('../bench/bench.ts');
  await benchGrowth(Number(process.argv[process.argv.indexOf('--growth') + 1] ?? 1_000_000));
} else {
  const { bench } = await import('../bench/bench.ts');
  const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
  await bench(process.argv.includes('--full'), only?.split(','));
}
