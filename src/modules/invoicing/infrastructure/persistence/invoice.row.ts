import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

import type { InvoiceStatus } from '../../domain/invoice.js';

@Entity({ name: 'invoices' })
@Unique('invoices_number_uq', ['tenantId', 'number'])
@Check('invoices_status_ck', `status IN ('draft', 'sent', 'authorized', 'paid', 'cancelled')`)
@Check('invoices_total_ck', `total_cents >= 0`)
export class InvoiceRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'invoices_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'invoices_pk' })
  id!: string;

  @Column({ type: 'text' })
  number!: string;

  @Column({ type: 'text' })
  customer!: string;

  /** Text here: the driver does not read a `bigint` as a number. */
  @Column({ name: 'total_cents', type: 'bigint' })
  totalCents!: string;

  @Column({ type: 'text' })
  currency!: string;

  @Column({ type: 'text', default: 'draft' })
  status!: InvoiceStatus;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
