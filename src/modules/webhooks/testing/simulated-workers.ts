import { SystemClock } from '../../../platform/kernel/clock.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { MakeRequest } from '../application/make-request.js';
import { RecordAttempt } from '../application/record-attempt.js';
import { AttemptDelivery } from '../application/attempt-delivery.js';
import { AttemptWatch } from '../application/attempt-watch.js';
import { DrainLane } from '../application/drain-lane.js';
import { ENGINE_LIMITS } from '../application/engine-limits.js';
import { HttpSender, type HttpSendRequest, type HttpSendResult } from '../application/ports/http-sender.js';
import { HeaderCache } from '../application/header-cache.js';
import { ReportCircuit } from '../application/report-circuit.js';
import { SignedHeaders } from '../application/signed-headers.js';
import { SignerCache } from '../application/signer-cache.js';
import { RenderBody } from '../application/render-body.js';
import { FakeJwtSigner } from './fake-jwt-signer.js';
import { FakeTemplateEngine } from './fake-template-engine.js';
import { UnreadableSecrets } from '../application/unreadable-secrets.js';
import { AttemptSlots } from '../domain/attempt-slots.js';
import type { Lane } from '../domain/lane.js';
import { DEFAULT_SETTINGS, type SubscriptionSettings } from '../domain/subscription-settings.js';
import { InMemoryEventOutbox } from './in-memory-event-outbox.js';
import { InMemorySecretVault } from './in-memory-secret-vault.js';
import { InMemoryStore } from './in-memory-store.js';
import { InMemorySubscriptionRepository } from './in-memory-subscription-repository.js';
import { InMemoryTransactions } from './in-memory-transactions.js';
import { RecordingDeliveryMetrics } from './recording-delivery-metrics.js';
import { RecordingLogger } from './recording-logger.js';
import { SequentialIds } from './sequential-ids.js';
import { SimulatedBroker, SimulatedDispatcher } from './simulated-broker.js';
import { LaneLocks, SimulatedLanes } from './simulated-lanes.js';
import { testSettings } from './test-settings.js';

/** One request as its receiver saw it. */
export interface SimulatedRequest {
  readonly event: string;
  /** Its place in the order of its endpoint, and the key of it. */
  readonly position: number | null;
  readonly orderingKey: string | null;
  readonly atMs: number;
  /** Milliseconds since the event was stored. */
  readonly waitedMs: number;
}

/** Answers 200 after as long as the endpoint takes. */
class SimulatedSender extends HttpSender {
  constructor(
    private readonly answerMs: (url: string) => number,
    private readonly note: (request: HttpSendRequest) => void,
  ) {
    super();
  }

  override async send(request: HttpSendRequest): Promise<HttpSendResult> {
    const { url, timeoutMs } = request;
    this.note(request);
    const takesMs = this.answerMs(url);
    await new Promise((resolve) => setTimeout(resolve, Math.min(takesMs, timeoutMs)));
    if (takesMs >= timeoutMs) {
      return {
        kind: 'failure',
        errorClass: 'timeout',
        error: 'Request timeout (10s)',
        durationMs: timeoutMs,
      };
    }
    return {
      ...{ kind: 'response', statusCode: 200, retryAfter: null, responseBody: '', responseHeaders: {} },
      durationMs: takesMs,
    };
  }

  override async close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The engine of several processes over one store and one broker, in virtual time: a test installs fake timers and moves them.
 * There is no sweep, so a ring that is lost is a delivery that never comes.
 */
export class SimulatedWorkers {
  readonly requests: SimulatedRequest[] = [];
  readonly clock = new SystemClock();
  readonly store = new InMemoryStore(this.clock);
  private readonly ids = new SequentialIds();
  private readonly vault = new InMemorySecretVault();
  private readonly outbox: InMemoryEventOutbox;
  /** One for each process. */
  private readonly dispatchers: SimulatedDispatcher[] = [];
  private emits = 0;

  /**
   * @param answerMs milliseconds that an endpoint takes; at or beyond the time budget it hangs
   * @param isBrokered one broker for all, or each process rings itself alone, as while Redis is away
   */
  constructor({
    processes,
    answerMs,
    isBrokered = true,
  }: {
    processes: number;
    answerMs: (url: string) => number;
    isBrokered?: boolean;
  }) {
    const locks = new LaneLocks();
    const logger = new RecordingLogger();
    const metrics = new RecordingDeliveryMetrics();
    const settings = testSettings();
    const sender = new SimulatedSender(answerMs, (request) => {
      this.note(request);
    });
    const shared = new SimulatedBroker();
    this.outbox = new InMemoryEventOutbox(this.store, this.ids, new SimulatedDispatcher(shared), metrics);
    for (let n = 0; n < processes; n += 1) {
      const leaseMs = settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs;
      const lanes = new SimulatedLanes(this.store, this.ids, leaseMs, `process ${n}`).sharing(locks);
      const broker = isBrokered ? shared : new SimulatedBroker();
      const dispatcher = new SimulatedDispatcher(broker);
      this.dispatchers.push(dispatcher);
      const signers = new SignerCache(this.vault, logger);
      const added = new HeaderCache(this.vault);
      const headers = new SignedHeaders(settings, signers, added, new FakeJwtSigner(), this.clock);
      const unreadable = new UnreadableSecrets(this.clock, logger);
      const { clock } = this;
      const bodies = new RenderBody(new FakeTemplateEngine());
      const circuits = new ReportCircuit(metrics, logger);
      const requests = new MakeRequest(settings, sender, headers, unreadable, clock, logger);
      const results = new RecordAttempt(lanes, circuits, metrics, logger);
      const attempt = new AttemptDelivery(settings, bodies, requests, results, lanes, circuits);
      const slots = new AttemptSlots(ENGINE_LIMITS.slots);
      const watch = new AttemptWatch();
      const drain = new DrainLane(lanes, attempt, slots, watch, dispatcher, this.clock, logger);
      broker.join((lane) => drain.execute(lane));
    }
  }

  /** A lane of its own event, `name`. */
  async subscribe(
    tenantId: string,
    name: string,
    settings: Partial<SubscriptionSettings> = {},
  ): Promise<Lane> {
    const id = this.ids.next();
    const context = { tenantId, subscriptionId: id, purpose: 'signing' } as const;
    const sealedSecret = this.vault.seal(new SecretText('a-good-secret'), context);
    await new InMemoryTransactions(this.store, false).run(tenantId, (transaction) =>
      new InMemorySubscriptionRepository(this.store).insert(transaction, {
        ...{ id, tenantId, events: [name], url: `https://${name}.example/`, sealedSecret },
        settings: { ...DEFAULT_SETTINGS, ...settings },
      }),
    );
    return { tenantId, subscriptionId: id };
  }

  /** Stores events for a lane, as one transaction of one process after the other, and rings it once for all of them. */
  async emit(tenantId: string, name: string, count = 1, orderingKey: string | null = null): Promise<void> {
    const rung = new Map<string, Lane>();
    for (let n = 0; n < count; n += 1) {
      const result = await this.outbox.append(
        { handle: null, tenantId },
        {
          ...{ id: this.ids.next(), tenantId, event: name, patterns: [name] },
          ...{ payload: '{}', idempotency: null, onlyIfMatched: false, orderingKey },
        },
      );
      if (result.kind !== 'stored') continue;
      for (const lane of result.lanes) rung.set(lane.subscriptionId, lane);
    }
    this.dispatchers[(this.emits += 1) % this.dispatchers.length]?.ring([...rung.values()]);
  }

  /** Deliveries that are not finished. */
  get open(): number {
    let count = 0;
    for (const { status } of this.store.deliveries.values()) {
      if (status === 'PENDING' || status === 'SENDING') count += 1;
    }
    return count;
  }

  /** One for each delivery in it. */
  private note({ headers }: HttpSendRequest): void {
    const ids = headers['X-Delivery-Ids']?.split(',') ?? [headers['X-Delivery-Id'] ?? ''];
    const atMs = this.clock.nowMs();
    for (const id of ids) {
      const row = this.store.deliveries.get(id);
      const waitedMs = atMs - (row?.createdAt.getTime() ?? atMs);
      const { event = '', position = null, orderingKey = null } = row ?? {};
      this.requests.push({ event, position, orderingKey, atMs, waitedMs });
    }
  }
}
