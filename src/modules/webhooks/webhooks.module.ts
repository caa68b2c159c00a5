import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { DatabaseModule } from '../../platform/database/database.module.js';
import { AttemptsUnderWay } from './application/attempts-under-way.js';
import { AuditTrail } from './application/ports/audit-trail.js';
import { EventCatalogue } from './domain/event-types/event-catalogue.js';
import type { EventType } from './domain/event-types/event-type.js';
import { EventTypesModule } from './event-types.module.js';
import { JwtKeySchedule } from './infrastructure/crypto/jwt-key-schedule.js';
import { ResealSchedule } from './infrastructure/crypto/reseal-schedule.js';
import { WebhookEmitter } from './infrastructure/persistence/webhook-emitter.js';
import { DeliveryEngine } from './infrastructure/queue/delivery-engine.js';
import { NoticeSchedule } from './infrastructure/queue/notice-schedule.js';
import { RetentionSchedule } from './infrastructure/queue/retention-schedule.js';
import { StatisticsSchedule } from './infrastructure/queue/statistics-schedule.js';
import { StreamSchedule } from './infrastructure/queue/stream-schedule.js';
import { TaskRunner } from './infrastructure/queue/task-runner.js';
import type { WebhooksOptions } from './webhooks-options.js';
import { adapters } from './wiring/adapters.js';
import { brokerOf } from './wiring/brokers.js';
import { CONTROLLERS } from './wiring/controllers.js';
import { PERSISTENCE, ROWS } from './wiring/persistence.js';
import { USE_CASES } from './wiring/use-cases.js';

@Module({})
export class WebhooksModule {
  static forRoot(options: WebhooksOptions): DynamicModule {
    const broker = brokerOf(options);
    return {
      module: WebhooksModule,
      // Any module may emit, without importing this one.
      global: true,
      imports: [DatabaseModule, TypeOrmModule.forFeature(ROWS), ...(broker.imports ?? [])],
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
      exports: [WebhookEmitter, AttemptsUnderWay, EventCatalogue, AuditTrail],
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
