import type { Lane } from '../../domain/lane.js';
import type { WaitingDelivery } from './event-intake.js';

/**
 * Wakes lanes. A ring is a hint: the sweep rings again whatever was missed, so implementations may lose one but must
 * never block the caller on a broker that is away, nor throw. Must not come in: payloads, secrets, results.
 */
export abstract class LaneDispatcher {
  /** Returns at once; the lanes are drained by whoever is next free. */
  abstract ring(lanes: readonly Lane[]): void;
  /** Rings once `delayMs` milliseconds have passed; long waits may be left to the sweep. */
  abstract ringAfter(lane: Lane, delayMs: number): void;
  /**
   * Called after a request stored deliveries: rings those that wait, and resolves when the caller may answer. Inline that is
   * after the first attempt of each, except where its lane is kept back; brokered at once.
   */
  abstract afterRequest(waiting: readonly WaitingDelivery[], deliveryIds: readonly string[]): Promise<void>;
}
