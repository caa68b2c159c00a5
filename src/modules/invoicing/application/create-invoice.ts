import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { WebhookEmitter } from '../../webhooks/index.js';
import { applyTransition, type Invoice, type NewInvoice } from '../domain/invoice.js';
import { invoiceEvent } from './invoice-event.js';
import { InvoiceRepository } from './ports/invoice-repository.js';

export interface CreateInvoiceCommand extends Omit<NewInvoice, 'id'> {
  /** True: creates and sends in one go; when it cannot be sent, it is not created either. */
  readonly send: boolean;
}

@Injectable()
export class CreateInvoice {
  constructor(
    private readonly invoices: InvoiceRepository,
    private readonly webhooks: WebhookEmitter,
    private readonly ids: IdGenerator,
  ) {}

  /** @throws InvoiceError `duplicate_invoice_number`, or `invoice_transition_not_allowed` when it is to be sent and cannot be. */
  async execute({ send, ...fields }: CreateInvoiceCommand): Promise<Invoice> {
    return this.invoices.transaction(fields.tenantId, async (transaction) => {
      const draft = await this.invoices.insert(transaction, { ...fields, id: this.ids.next() });
      await this.webhooks.emit(transaction, invoiceEvent(draft));
      if (!send) return draft;
      // A refusal here takes back the invoice and the event just emitted: nobody hears of an invoice that never was.
      const sent = await this.invoices.updateStatus(transaction, applyTransition(draft, 'send'));
      await this.webhooks.emit(transaction, invoiceEvent(sent));
      return sent;
    });
  }
}
