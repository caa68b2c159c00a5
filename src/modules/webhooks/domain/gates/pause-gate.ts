import type { Gate } from './gate.js';

/** Nothing goes out of a lane that its tenant has paused. The function `webhook_gate_pause`. */
export const pauseGate: Gate = ({ isPaused }, wanted) => ({ granted: isPaused ? 0 : wanted, untilMs: null });
