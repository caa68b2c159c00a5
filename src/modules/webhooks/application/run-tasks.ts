import { Injectable } from '@nestjs/common';

import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { TaskSteps } from './ports/task-steps.js';

/** Rows of a task that are due or under way at most: what is emitted meanwhile waits for so many at the worst. */
const MOST_RELEASED = 100;

/** Does the work of background tasks, step by step, and rings the lanes that have something due through it. */
@Injectable()
export class RunTasks {
  private stopping = false;

  constructor(
    private readonly steps: TaskSteps,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /** Goes on until no task has work left or the next one has to wait, or until it is told to stop. @returns whether one waits */
  async execute(): Promise<boolean> {
    while (!this.stopping) {
      const step = await this.steps.next(MOST_RELEASED);
      if (step === null) return false;
      if (step.isWaiting) return true;
      this.dispatcher.ring(step.lanes);
    }
    return false;
  }

  /** Ends after the step under way. */
  stop(): void {
    this.stopping = true;
  }
}
