import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { EmitEvent, type EmitCommand, type EmittedEvent } from '../../application/emit-event.js';
import { EmitOutsideTransactionError } from '../../domain/errors.js';

/**
 * How other modules emit events: inside their own TypeORM transaction. Committed, the event will be delivered, whatever
 * dies next; rolled back, nothing of it exists. Never waits for a receiver.
 *
 * @example
 * await dataSource.transaction(async (manager) => {
 *   await manager.save(invoice);
 *   await webhooks.emit(manager, { tenantId, event: WebhookEventType.InvoiceCreated, payload: { id: invoice.id } });
 * });
 */
@Injectable()
export class WebhookEmitter {
  constructor(private readonly emitEvent: EmitEvent) {}

  /**
   * @throws EmitOutsideTransactionError when `manager` has no open transaction; InvalidEmitError for a tenant id, event
   * name or payload that cannot be one.
   */
  async emit(manager: EntityManager, event: EmitCommand): Promise<EmittedEvent> {
    if (manager.queryRunner?.isTransactionActive !== true) throw new EmitOutsideTransactionError();
    return this.emitEvent.execute({ handle: manager, tenantId: event.tenantId }, event);
  }
}
