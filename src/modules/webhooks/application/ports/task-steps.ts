import type { Lane } from '../../domain/lane.js';

/**
 * The work of background tasks, in steps that each commit with the progress that they report: a process that dies in the
 * middle of one has neither done nor counted it. Must not come in: starting and cancelling, which are a tenant's.
 */
export abstract class TaskSteps {
  /**
   * Takes the running task that waited longest and makes up to `limit` of its rows due. Several processes take different
   * tasks.
   *
   * @returns the lanes to ring; null when no task has work left
   */
  abstract next(limit: number): Promise<readonly Lane[] | null>;
}
