import type { Provider } from '@nestjs/common';

import { MakeRequest } from '../application/make-request.js';
import { RecordAttempt } from '../application/record-attempt.js';
import { AttemptDelivery } from '../application/attempt-delivery.js';
import { AttemptWatch } from '../application/attempt-watch.js';
import { CancelDelivery } from '../application/cancel-delivery.js';
import { CheckPayload } from '../application/check-payload.js';
import { CreateSubscription } from '../application/create-subscription.js';
import { DeactivateSubscription } from '../application/deactivate-subscription.js';
import { DeliveryStream } from '../application/delivery-stream.js';
import { DrainLane } from '../application/drain-lane.js';
import { EmitEvent } from '../application/emit-event.js';
import { EndHolds } from '../application/end-holds.js';
import { FollowTasks } from '../application/follow-tasks.js';
import { HeaderCache } from '../application/header-cache.js';
import { KeepJwtKeys } from '../application/keep-jwt-keys.js';
import { PauseSubscription } from '../application/pause-subscription.js';
import { PreviewBody } from '../application/preview-body.js';
import { PublishedKeys } from '../application/published-keys.js';
import { ReadAudit } from '../application/read-audit.js';
import { ReadDeliveries } from '../application/read-deliveries.js';
import { ReadEvents } from '../application/read-events.js';
import { ReadStatistics } from '../application/read-statistics.js';
import { ReadSubscriptions } from '../application/read-subscriptions.js';
import { RemoveExpired } from '../application/remove-expired.js';
import { RenderBody } from '../application/render-body.js';
import { ReplayEvent } from '../application/replay-event.js';
import { ReportCircuit } from '../application/report-circuit.js';
import { RequestDelivery } from '../application/request-delivery.js';
import { ResealSecrets } from '../application/reseal-secrets.js';
import { ResetCircuit } from '../application/reset-circuit.js';
import { RetryDelivery } from '../application/retry-delivery.js';
import { RotateSecret } from '../application/rotate-secret.js';
import { RunTasks } from '../application/run-tasks.js';
import { SignedHeaders } from '../application/signed-headers.js';
import { SignerCache } from '../application/signer-cache.js';
import { StartTask } from '../application/start-task.js';
import { SweepLanes } from '../application/sweep-lanes.js';
import { TellNotices } from '../application/tell-notices.js';
import { TestSubscription } from '../application/test-subscription.js';
import { UnreadableSecrets } from '../application/unreadable-secrets.js';
import { UpdateSubscription } from '../application/update-subscription.js';

/** What the module does, by its use cases. */
export const USE_CASES: Provider[] = [
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
  MakeRequest,
  RecordAttempt,
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
