import type { WebhookEmitter } from '../../../webhooks/index.js';
import type { Invoice, NewInvoice } from '../../domain/invoice.js';

/** An open transaction: what `emit` joins. Use cases hand it on and never look into it. */
export type OpenTransaction = Parameters<WebhookEmitter['emit']>[0];

export interface InvoicePage {
  readonly invoices: readonly Invoice[];
  readonly hasMore: boolean;
}

/** A tenant's invoices. Must not come in: events (the use case emits them), anything of another tenant. */
export abstract class InvoiceRepository {
  /**
   * Runs work in one transaction that sees this tenant's rows alone; commits when it resolves, rolls back when it
   * throws. Must be short: never wait for another service inside.
   */
  abstract transaction<T>(tenantId: string, work: (transaction: OpenTransaction) => Promise<T>): Promise<T>;
  /** Stores a draft. @throws InvoiceError `duplicate_invoice_number` (a unique index decides, also between parallel requests). */
  abstract insert(transaction: OpenTransaction, invoice: NewInvoice): Promise<Invoice>;
  /** Locks the invoice until the transaction ends, so that parallel changes of it come one after the other. */
  abstract findForUpdate(transaction: OpenTransaction, tenantId: string, id: string): Promise<Invoice | null>;
  abstract updateStatus(transaction: OpenTransaction, invoice: Invoice): Promise<Invoice>;
  abstract find(transaction: OpenTransaction, tenantId: string, id: string): Promise<Invoice | null>;
  /** Newest first, starting after the invoice `afterId`. `limit` 1–100. */
  abstract list(
    transaction: OpenTransaction,
    tenantId: string,
    limit: number,
    afterId: string | null,
  ): Promise<InvoicePage>;
}
