/**
 * `--import`ed into every worker: on a busy machine the answers of a receiver come late because everything does, and an endpoint
 * would not get the places that a test means to fill.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const limits = join(process.env.FAULTS_BUILD, 'service/engine-limits.js');
const { ENGINE_LIMITS } = await import(pathToFileURL(limits).href);
ENGINE_LIMITS.concurrency.promptMs = 60_000;
