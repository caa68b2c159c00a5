import { BullModule } from '@nestjs/bullmq';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { DatabaseModule } from '../../platform/database/database.module.js';
import { AppLogger } from '../../platform/kernel/app-logger.js';
import { Clock, SystemClock } from '../../platform/kernel/clock.js';
import { IdGenerator } from '../../platform/kernel/id-generator.js';
import { UuidV7Generator } from '../../platform/kernel/uuid.js';
import { MetricsRegistry } from '../../platform/observability/metrics-registry.js';
import { BrokerConnectionModule } from './broker-connection.module.js';
import { DeliveriesController } from './api/deliveries.controller.js';
import { TargetUrlConstraint } from './api/dto/constraints.js';
import { SubscriptionsController } from './api/subscriptions.controller.js';
import { AttemptDelivery } from './application/attempt-delivery.js';
import { AttemptWatch } from './application/attempt-watch.js';
import { CreateSubscription } from './application/create-subscription.js';
import { DeactivateSubscription } from './application/deactivate-subscription.js';
import { DeliverySettings } from './application/delivery-settings.js';
import { DrainLane } from './application/drain-lane.js';
import { EmitEvent } from './application/emit-event.js';
import { ENGINE_LIMITS } from './application/engine-limits.js';
import { DeliveryLanes } from './application/ports/delivery-lanes.js';
import { DeliveryMetrics } from './application/ports/delivery-metrics.js';
import { DeliveryRepository } from './application/ports/delivery-repository.js';
import { EventOutbox } from './application/ports/event-outbox.js';
import { HttpSender } from './application/ports/http-sender.js';
import { LaneDispatcher } from './application/ports/lane-dispatcher.js';
import { SecretVault } from './application/ports/secret-vault.js';
import { SubscriptionRepository } from './application/ports/subscription-repository.js';
import { TargetPolicy } from './application/ports/target-policy.js';
import { TenantTransactions } from './application/ports/transaction.js';
import { ReadDeliveries } from './application/read-deliveries.js';
import { ReadSubscriptions } from './application/read-subscriptions.js';
import { RequestDelivery } from './application/request-delivery.js';
import { RetryDelivery } from './application/retry-delivery.js';
import { SignerCache } from './application/signer-cache.js';
import { SweepLanes } from './application/sweep-lanes.js';
import { UpdateSubscription } from './application/update-subscription.js';
import { DeliverySlots } from './domain/delivery-slots.js';
import { AesGcmSecretVault } from './infrastructure/crypto/aes-gcm-secret-vault.js';
import { AxiosHttpSender } from './infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from './infrastructure/http/configured-target-policy.js';
import { BacklogMonitor } from './infrastructure/observability/backlog-monitor.js';
import { BrokerReadiness } from './infrastructure/observability/broker-readiness.js';
import { PrometheusDeliveryMetrics } from './infrastructure/observability/prometheus-delivery-metrics.js';
import { AttemptRow } from './infrastructure/persistence/attempt.row.js';
import { DeliveryRow } from './infrastructure/persistence/delivery.row.js';
import { EventRow } from './infrastructure/persistence/event.row.js';
import { RingAfterCommitSubscriber } from './infrastructure/persistence/ring-after-commit.subscriber.js';
import { SubscriptionRow } from './infrastructure/persistence/subscription.row.js';
import { TypeormDeliveryLanes } from './infrastructure/persistence/typeorm-delivery-lanes.js';
import { TypeormDeliveryRepository } from './infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventOutbox } from './infrastructure/persistence/typeorm-event-outbox.js';
import { TypeormSubscriptionRepository } from './infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTransactions } from './infrastructure/persistence/typeorm-transactions.js';
import { WebhookEmitter } from './infrastructure/persistence/webhook-emitter.js';
import { WorkerTransaction } from './infrastructure/persistence/worker-transaction.js';
import { BullmqLaneConsumer } from './infrastructure/queue/bullmq-lane-consumer.js';
import { BullmqLaneDispatcher } from './infrastructure/queue/bullmq-lane-dispatcher.js';
import { DeliveryEngine, EngineDuties } from './infrastructure/queue/delivery-engine.js';
import { InlineLaneDispatcher } from './infrastructure/queue/inline-lane-dispatcher.js';
import { LANE_QUEUE } from './infrastructure/queue/lane-queue.js';
import { RedisConnection } from './infrastructure/queue/redis-connection.js';
import { WEBHOOKS_OPTIONS, type WebhooksOptions } from './webhooks-options.js';

const USE_CASES: Provider[] = [
  CreateSubscription,
  ReadSubscriptions,
  UpdateSubscription,
  DeactivateSubscription,
  RequestDelivery,
  ReadDeliveries,
  RetryDelivery,
  EmitEvent,
  AttemptDelivery,
  DrainLane,
  SweepLanes,
  SignerCache,
  AttemptWatch,
];

const PERSISTENCE: Provider[] = [
  WorkerTransaction,
  RingAfterCommitSubscriber,
  WebhookEmitter,
  { provide: TenantTransactions, useClass: TypeormTransactions },
  { provide: SubscriptionRepository, useClass: TypeormSubscriptionRepository },
  { provide: DeliveryRepository, useClass: TypeormDeliveryRepository },
  { provide: EventOutbox, useClass: TypeormEventOutbox },
  { provide: DeliveryLanes, useClass: TypeormDeliveryLanes },
];

@Module({})
export class WebhooksModule {
  static forRoot(options: WebhooksOptions): DynamicModule {
    const broker = options.redisUrl === null ? inline(options) : brokered(options, options.redisUrl);
    return {
      module: WebhooksModule,
      // Any module may emit, without importing this one.
      global: true,
      imports: [
        DatabaseModule,
        TypeOrmModule.forFeature([SubscriptionRow, EventRow, DeliveryRow, AttemptRow]),
        ...(broker.imports ?? []),
      ],
      controllers: options.role === 'worker' ? [] : [SubscriptionsController, DeliveriesController],
      providers: [
        ...USE_CASES,
        ...PERSISTENCE,
        ...adapters(options),
        ...(broker.providers ?? []),
        DeliveryEngine,
      ],
      exports: [WebhookEmitter],
    };
  }
}

function adapters(options: WebhooksOptions): Provider[] {
  const targets = {
    allowInsecureTargets: options.allowInsecureTargets,
    egressAllowCidrs: options.egressAllowCidrs,
    ownHosts: options.ownHosts,
  };
  return [
    { provide: WEBHOOKS_OPTIONS, useValue: options },
    { provide: DeliverySettings, useValue: options },
    { provide: Clock, useClass: SystemClock },
    { provide: IdGenerator, useClass: UuidV7Generator },
    { provide: SecretVault, useFactory: () => new AesGcmSecretVault(options.encryptionKeys) },
    { provide: TargetPolicy, useFactory: () => new ConfiguredTargetPolicy(targets) },
    {
      provide: HttpSender,
      useFactory: () => new AxiosHttpSender({ targets, connectionsPerOrigin: ENGINE_LIMITS.perOrigin }),
    },
    {
      provide: DeliverySlots,
      useFactory: () =>
        new DeliverySlots({ global: ENGINE_LIMITS.global, perTenant: ENGINE_LIMITS.perTenant }),
    },
    {
      provide: DeliveryMetrics,
      inject: [MetricsRegistry],
      useFactory: ({ registry }: MetricsRegistry) =>
        new PrometheusDeliveryMetrics(registry, options.labelTenants),
    },
    BacklogMonitor,
    TargetUrlConstraint,
  ];
}

/** Without a broker this process rings and drains by itself. */
function inline(options: WebhooksOptions): Pick<DynamicModule, 'imports' | 'providers'> {
  const delivers = options.role !== 'api';
  return {
    providers: [
      {
        provide: InlineLaneDispatcher,
        inject: [AttemptWatch, DeliverySettings, AppLogger],
        useFactory: (watch: AttemptWatch, settings: DeliverySettings, logger: AppLogger) =>
          new InlineLaneDispatcher(watch, settings, logger),
      },
      { provide: LaneDispatcher, useExisting: InlineLaneDispatcher },
      {
        provide: EngineDuties,
        inject: [InlineLaneDispatcher],
        useFactory: (dispatcher: InlineLaneDispatcher) =>
          new EngineDuties(delivers ? dispatcher : null, () => undefined),
      },
    ],
  };
}

/** With a broker: rings go through BullMQ, and a process takes turns when its role says so. */
function brokered(options: WebhooksOptions, redisUrl: string): Pick<DynamicModule, 'imports' | 'providers'> {
  const delivers = options.role !== 'api';
  const connection = BrokerConnectionModule.forRoot(redisUrl);
  return {
    imports: [
      connection,
      BullModule.registerQueueAsync({
        name: LANE_QUEUE,
        imports: [connection],
        inject: [RedisConnection],
        useFactory: ({ client }: RedisConnection) => ({
          connection: client,
          prefix: options.queuePrefix,
          skipWaitingForReady: true,
        }),
      }),
    ],
    providers: [
      BullmqLaneDispatcher,
      { provide: LaneDispatcher, useExisting: BullmqLaneDispatcher },
      ...(delivers ? [BullmqLaneConsumer] : []),
      BrokerReadiness,
      {
        provide: EngineDuties,
        inject: [BullmqLaneDispatcher, RedisConnection, { token: BullmqLaneConsumer, optional: true }],
        useFactory: (
          dispatcher: BullmqLaneDispatcher,
          redis: RedisConnection,
          consumer: BullmqLaneConsumer | undefined,
        ) =>
          new EngineDuties(consumer ?? null, () => {
            dispatcher.stop();
            redis.close();
          }),
      },
    ],
  };
}
