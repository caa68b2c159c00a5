/**
 * `--import`ed into every worker: on a busy machine the answers of a receiver come late because everything does, and an endpoint
 * would not get the places that a test means to fill.
 */
import { ENGINE_LIMITS } from './built-limits.mjs';

ENGINE_LIMITS.concurrency.promptMs = 60_000;
