import type { Lane } from '../../domain/lane.js';

export interface TaskStep {
  /** Lanes to ring. */
  readonly lanes: readonly Lane[];
  /** So much of the task is under way that nothing was made due: it is looked at again in a moment. */
  readonly isWaiting: boolean;
}

/**
 * The work of background tasks, in steps that each commit with the progress that they report: a process that dies in the
 * middle of one has neither done nor counted it. Must not come in: starting and cancelling, which are a tenant's.
 */
export abstract class TaskSteps {
  /**
   * Takes the running task that waited longest and makes rows of it due, as long as no more than `most` of it are due or under
   * way: what happens meanwhile is to come before. Several processes take different tasks.
   *
   * @returns null when no task has work left
   */
  abstract next(most: number): Promise<TaskStep | null>;
}
