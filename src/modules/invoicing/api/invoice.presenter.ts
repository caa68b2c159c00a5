import { ApiProperty } from '@nestjs/swagger';

import { publicInvoice, type PublicInvoice } from '../application/public-invoice.js';
import { INVOICE_STATUSES, type Invoice, type InvoiceStatus } from '../domain/invoice.js';

/** An invoice as clients see it; the `data` of its events is the same. */
export class InvoiceView implements PublicInvoice {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50' })
  id!: string;

  @ApiProperty({ example: 'F-2026-0042' })
  number!: string;

  @ApiProperty({ example: 'Panadería Sol' })
  customer!: string;

  @ApiProperty({ type: 'integer', description: 'In hundredths of the currency.', example: 12_100 })
  total_cents!: number;

  @ApiProperty({ description: 'ISO 4217.', example: 'EUR' })
  currency!: string;

  @ApiProperty({ enum: INVOICE_STATUSES, example: 'draft' })
  status!: InvoiceStatus;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  updated_at!: string;
}

export function presentInvoice(invoice: Invoice): InvoiceView {
  return publicInvoice(invoice);
}
