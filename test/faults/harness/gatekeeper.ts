import { join } from 'node:path';

import { ApiClient, signToken } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { startServer, type ServerProcess } from '../../support/server-process.js';
import type { FaultLab } from './lab.js';
import type { SeededRandom } from './random.js';
import { BUILD } from './settings.js';

/** Milliseconds after which an answer is not waited for any more: PostgreSQL may have gone in the middle. */
const PATIENCE_MS = 5_000;

/** Events of an outage. */
const FAILING_EVENTS = 8;

const UNDER_WAY = `
SELECT array(SELECT d.id::text FROM webhook_deliveries d WHERE d.subscription_id = $1 AND d.status = 'SENDING') AS "underWay"`;

/* What is the same a moment later was so all the time: every change of a circuit is another epoch, or another time. */
const OPEN_CIRCUIT = `
SELECT l.epoch || ' ' || l.next_probe_at AS state,
       array(SELECT d.id::text FROM webhook_deliveries d
              WHERE d.subscription_id = l.subscription_id AND d.status = 'SENDING') AS "underWay"
  FROM webhook_lanes l WHERE l.subscription_id = $1 AND l.circuit_state = 'open' AND l.next_probe_at > now()`;

interface OpenCircuit {
  readonly state: string;
  readonly underWay: readonly string[];
}

/**
 * Pauses lanes, makes one of them fail and resets its circuit, through an API that has as hard a time as all others; and notes in
 * `lab.closed` when nothing may have been sent.
 */
export class Gatekeeper {
  readonly log: string[] = [];
  private readonly paused = new Set<number>();
  /** Lanes with a request that was not answered: it may be heard later than what was asked after it. */
  private readonly unsure = new Set<number>();

  private constructor(
    private readonly lab: FaultLab,
    private readonly random: SeededRandom,
    private readonly server: ServerProcess,
    private readonly lanes: { readonly count: number; readonly failing: number },
  ) {}

  static async start(
    lab: FaultLab,
    random: SeededRandom,
    lanes: { readonly count: number; readonly failing: number },
  ): Promise<Gatekeeper> {
    const env = { ...lab.environment, WEBHOOK_ROLE: 'api' };
    const server = await startServer({ entry: join(BUILD, 'main.js'), env });
    return new Gatekeeper(lab, random, server, lanes);
  }

  /** Does one thing, and undoes it after a while. What the faults make of it is told by {@link log}. */
  async turn(): Promise<void> {
    const forMs = this.random.whole(300, 4_000);
    if (this.random.next() < 0.6) await this.pause(this.random.whole(0, this.lanes.count - 1), forMs);
    else await this.fail(2 * forMs);
    await this.rest(this.random.whole(0, 1_000));
  }

  /** Lets everything go. */
  async end(): Promise<void> {
    this.lab.receiver.behaveOn(this.lanes.failing, 200);
    for (const lane of this.paused) {
      await eventually(async () => expectOk(await this.ask(lane, 'resume')), { timeoutMs: 60_000 });
    }
    await eventually(async () => expectOk(await this.ask(this.lanes.failing, 'reset-circuit')), {
      timeoutMs: 60_000,
    });
    await this.server.dispose();
  }

  private async pause(lane: number, forMs: number): Promise<void> {
    this.paused.add(lane);
    const answer = await this.ask(lane, 'pause');
    const seen = answer === 200 ? await this.look<{ underWay: string[] }>(UNDER_WAY, lane) : null;
    const fromMs = Date.now();
    await this.rest(forMs);
    const toMs = Date.now();
    if (seen !== null && !this.unsure.has(lane))
      this.lab.closed.push({ lane, why: 'paused', fromMs, toMs, underWay: seen.underWay });
    if ((await this.ask(lane, 'resume')) === 200 && !this.unsure.has(lane)) this.paused.delete(lane);
    this.log.push(`pause ${lane} (${answer}, ${toMs - fromMs} ms)`);
  }

  /** Until its circuit opens, with luck; what is sent while it is open is looked at for a while. */
  private async fail(forMs: number): Promise<void> {
    const { failing: lane } = this.lanes;
    this.lab.receiver.behaveOn(lane, 503);
    // Some for the circuit to open by, and some that it then holds.
    await this.lab.emit(FAILING_EVENTS, { lanes: [lane] }).catch(() => undefined);
    const untilMs = performance.now() + forMs;
    let before: (OpenCircuit & { readonly fromMs: number }) | null = null;
    let openMs = 0;
    while (performance.now() < untilMs) {
      const toMs = Date.now();
      const seen = await this.look<OpenCircuit>(OPEN_CIRCUIT, lane);
      if (before !== null && seen?.state === before.state) {
        this.lab.closed.push({ lane, why: 'circuit_open', ...before, toMs });
        openMs += toMs - before.fromMs;
      }
      before = seen === null ? null : { ...seen, fromMs: Date.now() };
      await this.rest(200);
    }
    this.lab.receiver.behaveOn(lane, 200);
    this.log.push(`fail (open for ${openMs} ms, reset: ${await this.ask(lane, 'reset-circuit')})`);
  }

  /** @returns null when the database is away, or there is no such row */
  private async look<Row extends object>(sql: string, lane: number): Promise<Row | null> {
    const rows = await this.lab.query<Row>(sql, [this.lab.subscriptionOf(lane)]).catch(() => []);
    return rows[0] ?? null;
  }

  /** @returns the status of the answer; null when there was none */
  private async ask(lane: number, what: string): Promise<number | null> {
    const token = await signToken({
      secret: this.lab.environment['JWT_SECRET'] ?? '',
      tenantId: this.lab.tenantOf(lane),
    });
    const api = new ApiClient(this.server.url, token);
    const answer = api
      .post(`/subscriptions/${this.lab.subscriptionOf(lane)}/${what}`)
      .then(({ status }) => status)
      .catch(() => null);
    const status = await Promise.race([answer, this.rest(PATIENCE_MS).then(() => null)]);
    if (status === null) this.unsure.add(lane);
    return status;
  }

  private async rest(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function expectOk(status: number | null): void {
  if (status !== 200) throw new Error(`answered ${status}`);
}
