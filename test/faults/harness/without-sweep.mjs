/** `--import`ed into a worker: after the sweep of its boot it never sweeps again, so that rings alone move deliveries. */
import { ENGINE_LIMITS } from './built-limits.mjs';

ENGINE_LIMITS.sweepIntervalMs = 3_600_000;
