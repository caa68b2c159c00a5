import type { WaitingDelivery } from '../application/ports/event-intake.js';
import { LaneDispatcher } from '../application/ports/lane-dispatcher.js';
import type { Lane } from '../domain/lane.js';

/** Turns at once in one simulated process. */
const PARALLEL_TURNS = 128;

export type SimulatedTurn = (lane: Lane) => Promise<unknown>;

/**
 * Rings as a broker keeps them: of each lane at most one waits and one is a turn under way, and a ring during a turn is kept
 * for after it. Any process may take the turn. A turn that fails is gone, and its ring with it.
 */
export class SimulatedBroker {
  private readonly line = new Map<string, Lane>();
  private readonly active = new Set<string>();
  private readonly again = new Map<string, Lane>();
  private readonly workers: { readonly turn: SimulatedTurn; busy: number }[] = [];
  private next = 0;

  join(turn: SimulatedTurn): void {
    this.workers.push({ turn, busy: 0 });
  }

  ring(lane: Lane): void {
    const { subscriptionId } = lane;
    if (this.active.has(subscriptionId)) this.again.set(subscriptionId, lane);
    else this.line.set(subscriptionId, lane);
    this.pump();
  }

  private pump(): void {
    for (const [id, lane] of [...this.line]) {
      const worker = this.freeWorker();
      if (worker === undefined) return;
      this.line.delete(id);
      this.active.add(id);
      worker.busy += 1;
      const done = (): void => {
        worker.busy -= 1;
        this.active.delete(id);
        const kept = this.again.get(id);
        this.again.delete(id);
        if (kept !== undefined) this.line.set(id, kept);
        this.pump();
      };
      void worker.turn(lane).then(done, done);
    }
  }

  /** In turns, as the processes of a broker come. */
  private freeWorker(): { readonly turn: SimulatedTurn; busy: number } | undefined {
    for (const _each of this.workers) {
      this.next = (this.next + 1) % this.workers.length;
      const worker = this.workers[this.next];
      if (worker !== undefined && worker.busy < PARALLEL_TURNS) return worker;
    }
    return undefined;
  }
}

/** The broker as one process rings it, with the timers of that process. */
export class SimulatedDispatcher extends LaneDispatcher {
  private readonly wakes = new Map<string, { readonly atMs: number; readonly timer: NodeJS.Timeout }>();

  constructor(private readonly broker: SimulatedBroker) {
    super();
  }

  override ring(lanes: readonly Lane[]): void {
    for (const lane of lanes) this.broker.ring(lane);
  }

  override ringAfter(lane: Lane, delayMs: number): void {
    const atMs = performance.now() + delayMs;
    const known = this.wakes.get(lane.subscriptionId);
    if (known !== undefined && known.atMs <= atMs) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.wakes.delete(lane.subscriptionId);
      this.ring([lane]);
    }, delayMs + 1);
    this.wakes.set(lane.subscriptionId, { atMs, timer });
  }

  override async afterRequest(waiting: readonly WaitingDelivery[]): Promise<void> {
    this.ring(waiting.map(({ lane }) => lane));
    return Promise.resolve();
  }
}
