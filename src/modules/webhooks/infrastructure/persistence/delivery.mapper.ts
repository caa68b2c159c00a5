import type { AttemptRecord } from '../../application/ports/delivery-repository.js';
import type { Delivery, Hold, LastAttempt } from '../../domain/delivery.js';
import type { AttemptRow } from './attempt.row.js';
import type { DeliveryRow } from './delivery.row.js';

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    tenantId: row.tenantId,
    subscriptionId: row.subscriptionId,
    eventId: row.eventId,
    event: row.event,
    status: row.status,
    attempts: row.attempts,
    targetUrl: row.targetUrl,
    lastError: row.lastError,
    lastAttempt: lastAttemptOf(row),
    nextAttemptAt: row.status === 'PENDING' ? row.nextAttemptAt : null,
    hold: holdOf(row),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function lastAttemptOf({ lastDurationMs, lastStatusCode, lastErrorClass }: DeliveryRow): LastAttempt | null {
  if (lastDurationMs === null) return null;
  return { durationMs: lastDurationMs, statusCode: lastStatusCode, errorClass: lastErrorClass };
}

function holdOf({ status, heldReason, heldUntil, nextAttemptAt }: DeliveryRow): Hold | null {
  if (status !== 'PENDING' || heldReason === null || heldUntil === null) return null;
  return heldUntil.getTime() === nextAttemptAt?.getTime() ? { reason: heldReason, until: heldUntil } : null;
}

export function toAttemptRecord(row: AttemptRow): AttemptRecord {
  return {
    number: row.number,
    trigger: row.trigger,
    isProbe: row.probe,
    startedAt: row.startedAt,
    durationMs: row.durationMs,
    statusCode: row.statusCode,
    errorClass: row.errorClass,
    error: row.error,
    responseBody: row.responseBody,
    responseHeaders: row.responseHeaders,
    requestHeaders: row.requestHeaders,
  };
}
