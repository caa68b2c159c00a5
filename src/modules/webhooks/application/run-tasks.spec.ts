import { describe, expect, it } from '@jest/globals';

import type { Lane } from '../domain/lane.js';
import { FakeLaneDispatcher } from '../testing/fake-lane-dispatcher.js';
import { TaskSteps, type TaskStep } from './ports/task-steps.js';
import { RunTasks } from './run-tasks.js';

/** Answers what it was told, and then that nothing is left. */
class ToldSteps extends TaskSteps {
  asked = 0;

  constructor(private readonly answers: TaskStep[]) {
    super();
  }

  override async next(): Promise<TaskStep | null> {
    this.asked += 1;
    return Promise.resolve(this.answers.shift() ?? null);
  }
}

describe('RunTasks', () => {
  const laneOf = (subscriptionId: string): Lane => ({ tenantId: 'acme', subscriptionId });
  const made = (lane: Lane): TaskStep => ({ lanes: [lane], isWaiting: false });
  const waiting: TaskStep = { lanes: [], isWaiting: true };

  it('goes on until nothing is left, and rings what it made due', async () => {
    const dispatcher = new FakeLaneDispatcher();
    const steps = new ToldSteps([made(laneOf('a')), made(laneOf('b'))]);
    expect(await new RunTasks(steps, dispatcher).execute()).toBe(false);
    expect(dispatcher.rung).toEqual([laneOf('a'), laneOf('b')]);
  });

  // Red when it asks again at once: it would ask for as long as the endpoint takes.
  it('leaves off where a task has to wait for what it made due', async () => {
    const steps = new ToldSteps([made(laneOf('a')), waiting, made(laneOf('b'))]);
    expect(await new RunTasks(steps, new FakeLaneDispatcher()).execute()).toBe(true);
    expect(steps.asked).toBe(2);
  });

  it('does nothing once it was told to stop', async () => {
    const steps = new ToldSteps([made(laneOf('a'))]);
    const run = new RunTasks(steps, new FakeLaneDispatcher());
    run.stop();
    expect(await run.execute()).toBe(false);
    expect(steps.asked).toBe(0);
  });
});
