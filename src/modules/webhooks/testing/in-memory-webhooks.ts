import { MakeRequest } from '../application/make-request.js';
import { RecordAttempt } from '../application/record-attempt.js';
import { AttemptDelivery } from '../application/attempt-delivery.js';
import { AttemptWatch } from '../application/attempt-watch.js';
import { CreateSubscription } from '../application/create-subscription.js';
import type { DeliverySettings } from '../application/delivery-settings.js';
import { DrainLane } from '../application/drain-lane.js';
import { ENGINE_LIMITS } from '../application/engine-limits.js';
import { HeaderCache } from '../application/header-cache.js';
import { RenderBody } from '../application/render-body.js';
import { ReportCircuit } from '../application/report-circuit.js';
import { RequestDelivery } from '../application/request-delivery.js';
import { SignedHeaders } from '../application/signed-headers.js';
import { SignerCache } from '../application/signer-cache.js';
import { UnreadableSecrets } from '../application/unreadable-secrets.js';
import { AttemptSlots } from '../domain/attempt-slots.js';
import type { Lane } from '../domain/lane.js';
import { FakeClock } from './fake-clock.js';
import { FakeHttpSender } from './fake-http-sender.js';
import { FakeJwtSigner } from './fake-jwt-signer.js';
import { FakeLaneDispatcher } from './fake-lane-dispatcher.js';
import { uncheckedPayloads } from './fake-schema-validator.js';
import { FakeTemplateEngine } from './fake-template-engine.js';
import { FakeTargetPolicy } from './fake-target-policy.js';
import { InMemoryDeliveryLanes } from './in-memory-delivery-lanes.js';
import { InMemoryDeliveryRepository } from './in-memory-delivery-repository.js';
import { InMemoryEventIntake } from './in-memory-event-intake.js';
import { InMemoryEventOutbox } from './in-memory-event-outbox.js';
import { InMemoryLaneCircuits } from './in-memory-lane-circuits.js';
import { InMemoryLanePauses } from './in-memory-lane-pauses.js';
import { InMemorySecretVault } from './in-memory-secret-vault.js';
import { InMemoryStore } from './in-memory-store.js';
import { InMemorySubscriptionRepository } from './in-memory-subscription-repository.js';
import { InMemoryTransactions } from './in-memory-transactions.js';
import { RecordingAuditTrail } from './recording-audit-trail.js';
import { RecordingDeliveryMetrics } from './recording-delivery-metrics.js';
import { RecordingLogger } from './recording-logger.js';
import { SequentialIds } from './sequential-ids.js';
import { testSettings } from './test-settings.js';

/** The tenant of everything that {@link InMemoryWebhooks} makes by itself. */
export const TENANT = 'acme';

/** Who asks for everything that {@link InMemoryWebhooks} does by itself. */
export const ACTOR = { subject: 'tester', requestId: null };

/** For use cases whose limit is not what a test is about. */
export const NO_LIMIT = { maxActiveSubscriptions: 0 };

/** Every fake over one store, and the use cases that make the engine over them: the module without a server. */
export class InMemoryWebhooks {
  readonly clock = new FakeClock();
  readonly ids = new SequentialIds();
  readonly logger = new RecordingLogger();
  readonly metrics = new RecordingDeliveryMetrics();
  readonly trail = new RecordingAuditTrail();
  readonly dispatcher = new FakeLaneDispatcher();
  readonly sender = new FakeHttpSender();
  readonly targets = new FakeTargetPolicy();
  readonly templates = new FakeTemplateEngine();
  readonly vault = new InMemorySecretVault();
  readonly store = new InMemoryStore(this.clock);
  readonly transactions = new InMemoryTransactions(this.store);
  readonly subscriptions = new InMemorySubscriptionRepository(this.store);
  readonly deliveries = new InMemoryDeliveryRepository(this.store);
  readonly outbox = new InMemoryEventOutbox(this.store, this.ids, this.dispatcher, this.metrics);
  readonly settings: DeliverySettings;
  readonly lanes: InMemoryDeliveryLanes;
  readonly pauses = new InMemoryLanePauses(this.store);
  readonly circuits = new InMemoryLaneCircuits(this.store);
  readonly watch = new AttemptWatch();
  readonly slots = new AttemptSlots(ENGINE_LIMITS.slots);
  readonly attempt: AttemptDelivery;
  readonly drain: DrainLane;
  readonly intake: InMemoryEventIntake;

  constructor(change: Partial<DeliverySettings> = {}) {
    this.settings = testSettings(change);
    const leaseMs = this.settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs;
    this.lanes = new InMemoryDeliveryLanes(this.store, this.ids, leaseMs);
    const { settings, sender, lanes, metrics, clock, logger, slots, watch, dispatcher } = this;
    const signers = new SignerCache(this.vault, logger);
    const added = new HeaderCache(this.vault);
    const bodies = new RenderBody(this.templates);
    const headers = new SignedHeaders(settings, signers, added, new FakeJwtSigner(), clock);
    const unreadable = new UnreadableSecrets(clock, logger);
    const circuits = new ReportCircuit(metrics, logger);
    const requests = new MakeRequest(settings, sender, headers, unreadable, clock, logger);
    const results = new RecordAttempt(lanes, circuits, metrics, logger);
    this.attempt = new AttemptDelivery(settings, bodies, requests, results, lanes, circuits);
    this.drain = new DrainLane(lanes, this.attempt, slots, watch, dispatcher, clock, logger);
    this.intake = new InMemoryEventIntake(this.store, this.outbox, lanes, this.drain);
  }

  /** The due-list as another process has it. */
  otherLanes(): InMemoryDeliveryLanes {
    const leaseMs = this.settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs;
    return new InMemoryDeliveryLanes(this.store, this.ids, leaseMs, 'another process');
  }

  creating(limits = NO_LIMIT): CreateSubscription {
    const { transactions, subscriptions, trail, vault, targets, templates, ids } = this;
    // oxfmt-ignore
    return new CreateSubscription(
      transactions, subscriptions, trail, vault, targets, templates, ids, limits,
    );
  }

  /** Subscribes through the use case and gives the lane. */
  async subscribe(event = 'thing.done', url = 'https://hooks.customer.com/in?token=t'): Promise<Lane> {
    const command = { tenantId: TENANT, actor: ACTOR, event, url, secret: 'a-good-secret' };
    const { subscription } = await this.creating().execute(command);
    return { tenantId: TENANT, subscriptionId: subscription.id };
  }

  /** Requests a delivery through the use case and gives the ids of what was stored. */
  async deliver(payload = '{"n":1}', event = 'thing.done'): Promise<readonly string[]> {
    const { intake, drain, dispatcher, ids, metrics } = this;
    const request = new RequestDelivery(intake, drain, dispatcher, ids, metrics, uncheckedPayloads());
    return (await request.execute({ tenantId: TENANT, actor: ACTOR, event, payload })).deliveryIds;
  }
}
