/** The engine's limits in the build under test, for preloads that change them before the service reads them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const limits = join(process.env.FAULTS_BUILD, 'service/engine-limits.js');
export const { ENGINE_LIMITS } = await import(pathToFileURL(limits).href);
