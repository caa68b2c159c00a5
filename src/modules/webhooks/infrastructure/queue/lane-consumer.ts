import type { DrainTurn } from './lane-scheduler.js';

/** The receiving half of a dispatcher: takes rings and gives lanes their turns. */
export interface LaneConsumer {
  start(drain: DrainTurn): void;
  /** Takes no further ring; turns under way may end by themselves. */
  stopConsuming(): Promise<void>;
  /** Lets go of connections; after the last ring. */
  close(): Promise<void>;
}
