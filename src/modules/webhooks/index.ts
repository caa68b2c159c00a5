/** The public door of the webhooks module: other modules import from here and from nowhere deeper. */
export { WebhooksModule } from './webhooks.module.js';
export { WebhookEmitter } from './infrastructure/persistence/webhook-emitter.js';
export { AttemptsUnderWay } from './application/attempts-under-way.js';
export type { Broker } from './webhooks-options.js';
export type { EventType, JsonSchema } from './domain/event-types/event-type.js';
export { EventTypeError } from './domain/event-types/event-catalogue.js';
export { AuditTrail, type NewAuditEntry } from './application/ports/audit-trail.js';
export type { Transaction } from './application/ports/transaction.js';
export type { EmitCommand, EmittedEvent } from './application/emit-event.js';
export { EmitOutsideTransactionError, InvalidEmitError } from './domain/errors.js';
export { WebhookEventType } from './domain/webhook-event-type.js';
export { WebhookSignature } from './domain/signature.js';
export { buildEnvelope, type EventEnvelope } from './domain/event-envelope.js';
