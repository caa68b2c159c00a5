import type { Provider } from '@nestjs/common';

import { AttemptsUnderWay } from '../application/attempts-under-way.js';
import { DrainLane } from '../application/drain-lane.js';
import { AttemptStatistics } from '../application/ports/attempt-statistics.js';
import { AuditTrail } from '../application/ports/audit-trail.js';
import { DeliveryChanges } from '../application/ports/delivery-changes.js';
import { DeliveryLanes } from '../application/ports/delivery-lanes.js';
import { DeliveryRepository } from '../application/ports/delivery-repository.js';
import { BirthPlaces, EventIntake } from '../application/ports/event-intake.js';
import { EventOutbox } from '../application/ports/event-outbox.js';
import { EventRepository } from '../application/ports/event-repository.js';
import { ExpiredHistory } from '../application/ports/expired-history.js';
import { HeldDeliveries } from '../application/ports/held-deliveries.js';
import { JwtKeys } from '../application/ports/jwt-keys.js';
import { LaneCircuits } from '../application/ports/lane-circuits.js';
import { LanePauses } from '../application/ports/lane-pauses.js';
import { Notices } from '../application/ports/notices.js';
import { SealedSecrets } from '../application/ports/sealed-secrets.js';
import { SubscriptionRepository } from '../application/ports/subscription-repository.js';
import { SubscriptionSecrets } from '../application/ports/subscription-secrets.js';
import { TaskRepository } from '../application/ports/task-repository.js';
import { TaskSteps } from '../application/ports/task-steps.js';
import { TestDeliveries } from '../application/ports/test-deliveries.js';
import { TenantTransactions } from '../application/ports/transaction.js';
import { AttemptRow } from '../infrastructure/persistence/attempt.row.js';
import { AuditRow } from '../infrastructure/persistence/audit.row.js';
import { DeliveryRow } from '../infrastructure/persistence/delivery.row.js';
import { EventRow } from '../infrastructure/persistence/event.row.js';
import { HotStatements } from '../infrastructure/persistence/hot-statements.js';
import { JwtKeyRow } from '../infrastructure/persistence/jwt-key.row.js';
import { KnownFilters } from '../infrastructure/persistence/known-filters.js';
import { LaneRow } from '../infrastructure/persistence/lane.row.js';
import { LeaseOwner } from '../infrastructure/persistence/lease-owner.js';
import { NoticeRow } from '../infrastructure/persistence/notice.row.js';
import { RingAfterCommitSubscriber } from '../infrastructure/persistence/ring-after-commit.subscriber.js';
import { NewStatsRow, StatsRow } from '../infrastructure/persistence/stats.row.js';
import { SubscriptionEventRow } from '../infrastructure/persistence/subscription-event.row.js';
import { SubscriptionRow } from '../infrastructure/persistence/subscription.row.js';
import { TaskRow } from '../infrastructure/persistence/task.row.js';
import { TypeormAttemptStatistics } from '../infrastructure/persistence/typeorm-attempt-statistics.js';
import { TypeormAuditTrail } from '../infrastructure/persistence/typeorm-audit-trail.js';
import { TypeormDeliveryChanges } from '../infrastructure/persistence/typeorm-delivery-changes.js';
import { TypeormDeliveryLanes } from '../infrastructure/persistence/typeorm-delivery-lanes.js';
import { TypeormDeliveryRepository } from '../infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventIntake } from '../infrastructure/persistence/typeorm-event-intake.js';
import { TypeormEventOutbox } from '../infrastructure/persistence/typeorm-event-outbox.js';
import { TypeormEventRepository } from '../infrastructure/persistence/typeorm-event-repository.js';
import { TypeormExpiredHistory } from '../infrastructure/persistence/typeorm-expired-history.js';
import { TypeormHeldDeliveries } from '../infrastructure/persistence/typeorm-held-deliveries.js';
import { TypeormJwtKeys } from '../infrastructure/persistence/typeorm-jwt-keys.js';
import { TypeormLaneCircuits } from '../infrastructure/persistence/typeorm-lane-circuits.js';
import { TypeormLanePauses } from '../infrastructure/persistence/typeorm-lane-pauses.js';
import { TypeormNotices } from '../infrastructure/persistence/typeorm-notices.js';
import { TypeormSealedSecrets } from '../infrastructure/persistence/typeorm-sealed-secrets.js';
import { TypeormSubscriptionRepository } from '../infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormSubscriptionSecrets } from '../infrastructure/persistence/typeorm-subscription-secrets.js';
import { TypeormTaskRepository } from '../infrastructure/persistence/typeorm-task-repository.js';
import { TypeormTaskSteps } from '../infrastructure/persistence/typeorm-task-steps.js';
import { TypeormTestDeliveries } from '../infrastructure/persistence/typeorm-test-deliveries.js';
import { TypeormTransactions } from '../infrastructure/persistence/typeorm-transactions.js';
import { WebhookEmitter } from '../infrastructure/persistence/webhook-emitter.js';
import { WorkerTransaction } from '../infrastructure/persistence/worker-transaction.js';
import { WorkerRow } from '../infrastructure/persistence/worker.row.js';

/** The tables of the module, as TypeORM knows them. */
export const ROWS = [
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
];

/** The ports of storage over them. */
export const PERSISTENCE: Provider[] = [
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
