import { expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeFaults } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { BUILD } from './harness/settings.js';

async function startApi(lab: FaultLab): Promise<{ server: ServerProcess; api: ApiClient }> {
  const server = await startServer({
    entry: `${BUILD}/main.js`,
    env: { ...lab.environment, WEBHOOK_ROLE: 'api' },
  });
  const token = await signToken({
    secret: lab.environment['JWT_SECRET'] ?? '',
    tenantId: lab.tenantOf(0),
  });
  return { server, api: new ApiClient(server.url, token) };
}

describeFaults('manual retries', (openLab) => {
  // Invariant 4. Red when a delivery that is SENDING is queued again (refusesManualRetry in delivery.ts).
  it('replace the pending automatic attempt, and two at once make one request', async () => {
    const lab = await openLab({ timeoutSeconds: 10 });
    const { server, api } = await startApi(lab);
    try {
      lab.receiver.behave(({ seenBefore }) => (seenBefore === 0 ? 500 : 'hold'));
      await lab.startWorker();
      await lab.emit(1);
      await eventually(async () => {
        expect(await lab.deliveries()).toMatchObject([{ status: 'PENDING', attempts: 1 }]);
      });
      const [delivery] = await lab.deliveries();
      const retry = (): Promise<{ status: number }> =>
        api.post(`/deliveries/${delivery?.id}/retry`, { force: true });
      const answers = await Promise.all([retry(), retry()]);
      // The other one comes before the attempt begins, and is queued with it, or after.
      expect(answers.map((answer) => answer.status)).toContain(202);
      expect([202, 409]).toEqual(expect.arrayContaining(answers.map((answer) => answer.status)));
      await eventually(() => expect(lab.receiver.heldCount).toBe(1));
      // While the manual attempt is open the automatic one comes due, and further requests for a retry come in.
      const [due] = await lab.query<{ at: Date }>(`SELECT now() + interval '1500 milliseconds' AS at`);
      await eventually(
        async () => {
          expect((await retry()).status).toBe(409);
          const [clock] = await lab.query<{ passed: boolean }>('SELECT now() > $1 AS passed', [due?.at]);
          expect(clock?.passed).toBe(true);
        },
        { timeoutMs: 10_000, intervalMs: 250 },
      );
    } finally {
      await server.dispose();
    }
    lab.receiver.release();
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(lab.receiver.requests).toHaveLength(2);
    expect((await lab.attempts()).map((attempt) => attempt.trigger)).toEqual(['auto', 'manual']);
  }, 240_000);
});
