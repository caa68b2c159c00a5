import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { DatabaseModule } from '../../platform/database/database.module.js';
import { Clock, SystemClock } from '../../platform/kernel/clock.js';
import { IdGenerator } from '../../platform/kernel/id-generator.js';
import { UuidV7Generator } from '../../platform/kernel/uuid.js';
import { MetricsRegistry } from '../../platform/observability/metrics-registry.js';
import { brokerOf } from './broker.module.js';
import { AuditController } from './api/audit.controller.js';
import { DeliveriesController } from './api/deliveries.controller.js';
import { TargetUrlConstraint } from './api/dto/constraints.js';
import { EventTypesController } from './api/event-types.controller.js';
import { EventsController } from './api/events.controller.js';
import { JwksController } from './api/jwks.controller.js';
import { PreviewController } from './api/preview.controller.js';
import { RecoveryController } from './api/recovery.controller.js';
import { StreamController } from './api/stream.controller.js';
import { StatisticsController } from './api/statistics.controller.js';
import { SubscriptionsController } from './api/subscriptions.controller.js';
import { TasksController } from './api/tasks.controller.js';
import { TestController } from './api/test.controller.js';
import { AttemptDelivery } from './application/attempt-delivery.js';
import { AttemptsUnderWay } from './application/attempts-under-way.js';
import { AttemptWatch } from './application/attempt-watch.js';
import { CancelDelivery } from './application/cancel-delivery.js';
import { CheckPayload } from './application/check-payload.js';
import { CreateSubscription } from './application/create-subscription.js';
import { DeactivateSubscription } from './application/deactivate-subscription.js';
import { DeliverySettings } from './application/delivery-settings.js';
import { DeliveryStream } from './application/delivery-stream.js';
import { DrainLane } from './application/drain-lane.js';
import { EmitEvent } from './application/emit-event.js';
import { EndHolds } from './application/end-holds.js';
import { FollowTasks } from './application/follow-tasks.js';
import { ENGINE_LIMITS } from './application/engine-limits.js';
import { HeaderCache } from './application/header-cache.js';
import { HoldSettings } from './application/hold-settings.js';
import { KeepJwtKeys } from './application/keep-jwt-keys.js';
import { AttemptStatistics } from './application/ports/attempt-statistics.js';
import { AuditTrail } from './application/ports/audit-trail.js';
import { DeliveryChanges } from './application/ports/delivery-changes.js';
import { DeliveryLanes } from './application/ports/delivery-lanes.js';
import { DeliveryMetrics } from './application/ports/delivery-metrics.js';
import { DeliveryRepository } from './application/ports/delivery-repository.js';
import { ExpiredHistory } from './application/ports/expired-history.js';
import { EventRepository } from './application/ports/event-repository.js';
import { BirthPlaces, EventIntake } from './application/ports/event-intake.js';
import { EventOutbox } from './application/ports/event-outbox.js';
import { HeldDeliveries } from './application/ports/held-deliveries.js';
import { HttpSender } from './application/ports/http-sender.js';
import { JwtKeys } from './application/ports/jwt-keys.js';
import { JwtSigner } from './application/ports/jwt-signer.js';
import { Notices } from './application/ports/notices.js';
import { SchemaValidator } from './application/ports/schema-validator.js';
import { SealedSecrets } from './application/ports/sealed-secrets.js';
import { SecretVault } from './application/ports/secret-vault.js';
import { SubscriptionRepository } from './application/ports/subscription-repository.js';
import { TaskRepository } from './application/ports/task-repository.js';
import { TaskSteps } from './application/ports/task-steps.js';
import { SubscriptionSecrets } from './application/ports/subscription-secrets.js';
import { TargetPolicy } from './application/ports/target-policy.js';
import { TemplateEngine } from './application/ports/template-engine.js';
import { TestDeliveries } from './application/ports/test-deliveries.js';
import { TenantTransactions } from './application/ports/transaction.js';
import { PreviewBody } from './application/preview-body.js';
import { PublishedKeys } from './application/published-keys.js';
import { ReadAudit } from './application/read-audit.js';
import { PauseSubscription } from './application/pause-subscription.js';
import { LaneCircuits } from './application/ports/lane-circuits.js';
import { LanePauses } from './application/ports/lane-pauses.js';
import { ReadDeliveries } from './application/read-deliveries.js';
import { ReadEvents } from './application/read-events.js';
import { ReadStatistics } from './application/read-statistics.js';
import { ReadSubscriptions } from './application/read-subscriptions.js';
import { RemoveExpired } from './application/remove-expired.js';
import { RenderBody } from './application/render-body.js';
import { ReplayEvent } from './application/replay-event.js';
import { RequestDelivery } from './application/request-delivery.js';
import { TellNotices } from './application/tell-notices.js';
import { ReportCircuit } from './application/report-circuit.js';
import { ResealSecrets } from './application/reseal-secrets.js';
import { RetentionSettings } from './application/retention-settings.js';
import { RetryDelivery } from './application/retry-delivery.js';
import { ResetCircuit } from './application/reset-circuit.js';
import { RunTasks } from './application/run-tasks.js';
import { RotateSecret } from './application/rotate-secret.js';
import { SignedHeaders } from './application/signed-headers.js';
import { SignerCache } from './application/signer-cache.js';
import { StartTask } from './application/start-task.js';
import { SubscriptionLimits } from './application/subscription-limits.js';
import { SweepLanes } from './application/sweep-lanes.js';
import { TestSubscription } from './application/test-subscription.js';
import { UnreadableSecrets } from './application/unreadable-secrets.js';
import { UpdateSubscription } from './application/update-subscription.js';
import { AttemptSlots } from './domain/attempt-slots.js';
import { EventCatalogue } from './domain/event-types/event-catalogue.js';
import type { EventType } from './domain/event-types/event-type.js';
import { EventTypesModule } from './event-types.module.js';
import { AesGcmSecretVault } from './infrastructure/crypto/aes-gcm-secret-vault.js';
import { JoseJwtSigner } from './infrastructure/crypto/jose-jwt-signer.js';
import { JwtKeySchedule } from './infrastructure/crypto/jwt-key-schedule.js';
import { ResealSchedule } from './infrastructure/crypto/reseal-schedule.js';
import { AxiosHttpSender } from './infrastructure/http/axios-http-sender.js';
import { ConfiguredTargetPolicy } from './infrastructure/http/configured-target-policy.js';
import { BacklogMonitor } from './infrastructure/observability/backlog-monitor.js';
import { HeldMonitor } from './infrastructure/observability/held-monitor.js';
import { PrometheusDeliveryMetrics } from './infrastructure/observability/prometheus-delivery-metrics.js';
import { SecretsReadiness } from './infrastructure/observability/secrets-readiness.js';
import { AttemptRow } from './infrastructure/persistence/attempt.row.js';
import { AuditRow } from './infrastructure/persistence/audit.row.js';
import { DeliveryRow } from './infrastructure/persistence/delivery.row.js';
import { EventRow } from './infrastructure/persistence/event.row.js';
import { NoticeRow } from './infrastructure/persistence/notice.row.js';
import { TypeormNotices } from './infrastructure/persistence/typeorm-notices.js';
import { HotStatements } from './infrastructure/persistence/hot-statements.js';
import { JwtKeyRow } from './infrastructure/persistence/jwt-key.row.js';
import { KnownFilters } from './infrastructure/persistence/known-filters.js';
import { LeaseOwner } from './infrastructure/persistence/lease-owner.js';
import { RingAfterCommitSubscriber } from './infrastructure/persistence/ring-after-commit.subscriber.js';
import { NewStatsRow, StatsRow } from './infrastructure/persistence/stats.row.js';
import { SubscriptionEventRow } from './infrastructure/persistence/subscription-event.row.js';
import { SubscriptionRow } from './infrastructure/persistence/subscription.row.js';
import { TaskRow } from './infrastructure/persistence/task.row.js';
import { TypeormAttemptStatistics } from './infrastructure/persistence/typeorm-attempt-statistics.js';
import { TypeormAuditTrail } from './infrastructure/persistence/typeorm-audit-trail.js';
import { TypeormDeliveryChanges } from './infrastructure/persistence/typeorm-delivery-changes.js';
import { TypeormDeliveryLanes } from './infrastructure/persistence/typeorm-delivery-lanes.js';
import { TypeormDeliveryRepository } from './infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventIntake } from './infrastructure/persistence/typeorm-event-intake.js';
import { TypeormEventOutbox } from './infrastructure/persistence/typeorm-event-outbox.js';
import { TypeormEventRepository } from './infrastructure/persistence/typeorm-event-repository.js';
import { TypeormExpiredHistory } from './infrastructure/persistence/typeorm-expired-history.js';
import { TypeormHeldDeliveries } from './infrastructure/persistence/typeorm-held-deliveries.js';
import { TypeormJwtKeys } from './infrastructure/persistence/typeorm-jwt-keys.js';
import { TypeormSealedSecrets } from './infrastructure/persistence/typeorm-sealed-secrets.js';
import { TypeormSubscriptionRepository } from './infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTaskRepository } from './infrastructure/persistence/typeorm-task-repository.js';
import { TypeormTaskSteps } from './infrastructure/persistence/typeorm-task-steps.js';
import { TypeormSubscriptionSecrets } from './infrastructure/persistence/typeorm-subscription-secrets.js';
import { TypeormTestDeliveries } from './infrastructure/persistence/typeorm-test-deliveries.js';
import { TypeormTransactions } from './infrastructure/persistence/typeorm-transactions.js';
import { WebhookEmitter } from './infrastructure/persistence/webhook-emitter.js';
import { LaneRow } from './infrastructure/persistence/lane.row.js';
import { TypeormLaneCircuits } from './infrastructure/persistence/typeorm-lane-circuits.js';
import { TypeormLanePauses } from './infrastructure/persistence/typeorm-lane-pauses.js';
import { WorkerRow } from './infrastructure/persistence/worker.row.js';
import { WorkerTransaction } from './infrastructure/persistence/worker-transaction.js';
import { DeliveryEngine } from './infrastructure/queue/delivery-engine.js';
import { NoticeSchedule } from './infrastructure/queue/notice-schedule.js';
import { RetentionSchedule } from './infrastructure/queue/retention-schedule.js';
import { StreamSchedule } from './infrastructure/queue/stream-schedule.js';
import { StatisticsSchedule } from './infrastructure/queue/statistics-schedule.js';
import { TaskRunner } from './infrastructure/queue/task-runner.js';
import { AjvSchemaValidator } from './infrastructure/schemas/ajv-schema-validator.js';
import { JsonataSandbox } from './infrastructure/templates/jsonata-sandbox.js';
import { WEBHOOKS_OPTIONS, type WebhooksOptions } from './webhooks-options.js';

/* Fixed paths before those with a parameter: `deliveries/retry` is no delivery. */
const CONTROLLERS = [
  PreviewController,
  RecoveryController,
  SubscriptionsController,
  TestController,
  DeliveriesController,
  AuditController,
  EventsController,
  EventTypesController,
  StatisticsController,
  StreamController,
  TasksController,
  JwksController,
];

const USE_CASES: Provider[] = [
  CreateSubscription,
  ReadSubscriptions,
  PreviewBody,
  UpdateSubscription,
  DeactivateSubscription,
  PauseSubscription,
  ReportCircuit,
  ResetCircuit,
  RotateSecret,
  ResealSecrets,
  ReadAudit,
  TellNotices,
  RequestDelivery,
  ReadDeliveries,
  ReadStatistics,
  DeliveryStream,
  RetryDelivery,
  CancelDelivery,
  CheckPayload,
  EmitEvent,
  AttemptDelivery,
  DrainLane,
  SweepLanes,
  SignerCache,
  HeaderCache,
  SignedHeaders,
  RenderBody,
  KeepJwtKeys,
  PublishedKeys,
  UnreadableSecrets,
  AttemptWatch,
  ReadEvents,
  ReplayEvent,
  TestSubscription,
  StartTask,
  FollowTasks,
  RunTasks,
  EndHolds,
  RemoveExpired,
];

const PERSISTENCE: Provider[] = [
  WorkerTransaction,
  HotStatements,
  KnownFilters,
  LeaseOwner,
  RingAfterCommitSubscriber,
  WebhookEmitter,
  { provide: TenantTransactions, useClass: TypeormTransactions },
  { provide: SubscriptionRepository, useClass: TypeormSubscriptionRepository },
  { provide: SealedSecrets, useClass: TypeormSealedSecrets },
  { provide: JwtKeys, useClass: TypeormJwtKeys },
  { provide: SubscriptionSecrets, useClass: TypeormSubscriptionSecrets },
  { provide: AuditTrail, useClass: TypeormAuditTrail },
  { provide: DeliveryRepository, useClass: TypeormDeliveryRepository },
  { provide: EventOutbox, useClass: TypeormEventOutbox },
  { provide: EventIntake, useClass: TypeormEventIntake },
  { provide: BirthPlaces, useExisting: DrainLane },
  { provide: AttemptsUnderWay, useExisting: DrainLane },
  { provide: DeliveryLanes, useClass: TypeormDeliveryLanes },
  { provide: LaneCircuits, useClass: TypeormLaneCircuits },
  { provide: LanePauses, useClass: TypeormLanePauses },
  { provide: DeliveryChanges, useClass: TypeormDeliveryChanges },
  { provide: AttemptStatistics, useClass: TypeormAttemptStatistics },
  { provide: Notices, useClass: TypeormNotices },
  { provide: TestDeliveries, useClass: TypeormTestDeliveries },
  { provide: EventRepository, useClass: TypeormEventRepository },
  { provide: TaskRepository, useClass: TypeormTaskRepository },
  { provide: TaskSteps, useClass: TypeormTaskSteps },
  { provide: ExpiredHistory, useClass: TypeormExpiredHistory },
  { provide: HeldDeliveries, useClass: TypeormHeldDeliveries },
];

@Module({})
export class WebhooksModule {
  static forRoot(options: WebhooksOptions): DynamicModule {
    const broker = brokerOf(options);
    return {
      module: WebhooksModule,
      // Any module may emit, without importing this one.
      global: true,
      imports: [
        DatabaseModule,
        TypeOrmModule.forFeature([
          SubscriptionRow,
          SubscriptionEventRow,
          EventRow,
          DeliveryRow,
          AttemptRow,
          TaskRow,
          AuditRow,
          WorkerRow,
          LaneRow,
          JwtKeyRow,
          NoticeRow,
          StatsRow,
          NewStatsRow,
        ]),
        ...(broker.imports ?? []),
      ],
      controllers: options.role === 'worker' ? [] : CONTROLLERS,
      providers: [
        ...USE_CASES,
        ...PERSISTENCE,
        ...adapters(options),
        ...(broker.providers ?? []),
        DeliveryEngine,
        JwtKeySchedule,
        ...(options.role === 'worker' ? [] : [StreamSchedule]),
        ...(options.role === 'api'
          ? []
          : [TaskRunner, ResealSchedule, RetentionSchedule, NoticeSchedule, StatisticsSchedule]),
      ],
      exports: [WebhookEmitter, AttemptsUnderWay, EventCatalogue],
    };
  }

  /**
   * Registers the event types of a module, so that the catalogue shows them and their payloads can be held against their
   * schemas. The service does not start with a type that is not one, or with two of a name.
   *
   * @example imports: [WebhooksModule.forFeature([{ event: 'shipment.sent', description: '…', schema: {…}, example: {…} }])]
   */
  static forFeature(eventTypes: readonly EventType[]): DynamicModule {
    return EventTypesModule.of(eventTypes);
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
    { provide: RetentionSettings, useValue: options },
    { provide: HoldSettings, useValue: options },
    { provide: SubscriptionLimits, useValue: options },
    { provide: EventCatalogue, useFactory: () => new EventCatalogue() },
    { provide: SchemaValidator, useClass: AjvSchemaValidator },
    { provide: Clock, useClass: SystemClock },
    { provide: IdGenerator, useClass: UuidV7Generator },
    { provide: TemplateEngine, useClass: JsonataSandbox },
    { provide: JwtSigner, useClass: JoseJwtSigner },
    { provide: SecretVault, useFactory: () => new AesGcmSecretVault(options.encryptionKeys) },
    { provide: TargetPolicy, useFactory: () => new ConfiguredTargetPolicy(targets) },
    {
      provide: HttpSender,
      useFactory: () =>
        new AxiosHttpSender({
          targets,
          connectionsPerOrigin: ENGINE_LIMITS.perOrigin,
          ...(options.dnsServers.length === 0 ? {} : { dnsServers: options.dnsServers }),
        }),
    },
    { provide: AttemptSlots, useFactory: () => new AttemptSlots(ENGINE_LIMITS.slots) },
    {
      provide: DeliveryMetrics,
      inject: [MetricsRegistry, EventCatalogue],
      useFactory: ({ registry }: MetricsRegistry, catalogue: EventCatalogue) =>
        new PrometheusDeliveryMetrics(registry, catalogue, options.labelTenants),
    },
    BacklogMonitor,
    HeldMonitor,
    SecretsReadiness,
    TargetUrlConstraint,
  ];
}
