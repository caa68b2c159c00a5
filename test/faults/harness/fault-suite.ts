import { afterAll, afterEach, beforeAll, it } from '@jest/globals';

import { describeWithPostgresAndRedis } from '../../support/servers.js';
import { FaultServers, type ServerOptions } from './fault-servers.js';
import { FaultLab, type LabOptions } from './lab.js';
import { IS_FULL } from './settings.js';

/** Opens a lab for one test; the suite disposes of it after the test. */
export type OpenLab = (options?: LabOptions) => Promise<FaultLab>;

/** A suite on private servers of its own: nothing that it breaks is anybody else's. */
export function describeFaults(
  name: string,
  tests: (openLab: OpenLab) => void,
  options: ServerOptions = {},
): void {
  describeWithPostgresAndRedis(name, () => {
    let servers: FaultServers | undefined;
    let labs: FaultLab[] = [];

    beforeAll(async () => {
      servers = await FaultServers.start(options);
    }, 240_000);
    afterEach(async () => {
      for (const lab of labs) await lab.dispose();
      labs = [];
    });
    afterAll(async () => {
      await servers?.dispose();
    });

    tests(async (options) => {
      if (servers === undefined) throw new Error('The private servers of the suite did not start');
      const lab = await FaultLab.start(servers, options);
      labs.push(lab);
      return lab;
    });
  });
}

/** One test of several that run at the same time. */
export interface Experiment {
  readonly title: string;
  readonly run: () => Promise<void>;
  /** Left out of the short form: what it shows is shown there by another test as well, only not so plainly. */
  readonly isLong?: true;
  /** So much at once that it would be what the others measure: in the long form it waits until they are through. */
  readonly isHeavy?: true;
}

/**
 * Tests that spend their time waiting for leases to end, each in a lab of its own: they run side by side, as long as the
 * longest of them, and are reported one by one. Only for those that leave the shared servers alone.
 */
export function itTogether(all: readonly Experiment[], timeoutMs: number): void {
  const experiments = all.filter(({ isLong }) => IS_FULL || isLong !== true);
  let running: Promise<void>[] | undefined;
  experiments.forEach(({ title }, index) => {
    it(
      title,
      async () => {
        running ??= started(experiments);
        // All of them, before the first test ends: its labs are taken away with it.
        await Promise.allSettled(running);
        await running[index];
      },
      timeoutMs,
    );
  });
}

function started(experiments: readonly Experiment[]): Promise<void>[] {
  const begun = experiments.map(({ isHeavy, run }) => (IS_FULL && isHeavy === true ? null : run()));
  const ended = Promise.allSettled(begun.filter((one) => one !== null));
  return experiments.map(({ run }, index) => begun[index] ?? ended.then(run));
}
