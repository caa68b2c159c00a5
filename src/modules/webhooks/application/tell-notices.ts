import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { patternsMatching } from '../domain/event-name.js';
import { operationalEvent, type Notice } from '../domain/operational-event.js';
import { letsThrough, payloadOf } from '../domain/payload-filter/payload-filter.js';
import { EventOutbox } from './ports/event-outbox.js';
import { Notices } from './ports/notices.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';

/** Tenants of one look, and notices of one transaction. */
const TENANTS = 100;
const AT_ONCE = 50;

/**
 * Makes events of what was noted: in one transaction with taking the note, so each is told once, whatever dies. From there on
 * they are events like any other.
 */
@Injectable()
export class TellNotices {
  constructor(
    private readonly notices: Notices,
    private readonly transactions: TenantTransactions,
    private readonly outbox: EventOutbox,
    private readonly ids: IdGenerator,
  ) {}

  async execute(): Promise<void> {
    for (const tenantId of await this.notices.dueTenants(TENANTS)) {
      await this.transactions.run(tenantId, async (transaction) => {
        for (const notice of await this.notices.take(transaction, AT_ONCE)) {
          await this.tell(transaction, notice);
        }
      });
    }
  }

  private async tell(transaction: Transaction, notice: Notice): Promise<void> {
    const { event, payload } = operationalEvent(transaction.tenantId, notice);
    const about = notice.endpoint.id;
    const listeners = await this.notices.listeners(transaction, patternsMatching(event), about);
    // Who listened when it was noted may have gone.
    if (listeners.length === 0) return;
    const text = JSON.stringify(payload);
    const read = payloadOf(text);
    const [to, filteredBy]: [string[], string[]] = [[], []];
    for (const { id, filter } of listeners) (letsThrough(filter, read) ? to : filteredBy).push(id);
    const stored = { id: this.ids.next(), event, payload: text, to, filteredBy };
    this.outbox.announceAfterCommit(transaction, event, await this.notices.store(transaction, stored));
  }
}
