import { AuditController } from '../api/audit.controller.js';
import { DeliveriesController } from '../api/deliveries.controller.js';
import { EventTypesController } from '../api/event-types.controller.js';
import { EventsController } from '../api/events.controller.js';
import { JwksController } from '../api/jwks.controller.js';
import { PreviewController } from '../api/preview.controller.js';
import { RecoveryController } from '../api/recovery.controller.js';
import { StatisticsController } from '../api/statistics.controller.js';
import { StreamController } from '../api/stream.controller.js';
import { SubscriptionsController } from '../api/subscriptions.controller.js';
import { TasksController } from '../api/tasks.controller.js';
import { TestController } from '../api/test.controller.js';

/* Fixed paths before those with a parameter: `deliveries/retry` is no delivery. */
export const CONTROLLERS = [
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
