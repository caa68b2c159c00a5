/** `--import`ed into a worker: after the sweep of its boot it never sweeps again, so that rings alone move deliveries. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const limits = join(process.env.FAULTS_BUILD, 'service/engine-limits.js');
const { ENGINE_LIMITS } = await import(pathToFileURL(limits).href);
ENGINE_LIMITS.sweepIntervalMs = 3_600_000;
