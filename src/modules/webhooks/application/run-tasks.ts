import { Injectable } from '@nestjs/common';

import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { TaskSteps } from './ports/task-steps.js';

/** Rows in one step: short enough for a transaction that others wait for, long enough to be worth one. */
const ROWS_PER_STEP = 500;

/** Does the work of background tasks, step by step, and rings the lanes that have something due through it. */
@Injectable()
export class RunTasks {
  private stopping = false;

  constructor(
    private readonly steps: TaskSteps,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /** Goes on until no task has work left, or until it is told to stop. */
  async execute(): Promise<void> {
    while (!this.stopping) {
      const lanes = await this.steps.next(ROWS_PER_STEP);
      if (lanes === null) return;
      this.dispatcher.ring(lanes);
    }
  }

  /** Ends after the step under way. */
  stop(): void {
    this.stopping = true;
  }
}
