import { Injectable } from '@nestjs/common';
import { LessThan, QueryFailedError, type EntityManager } from 'typeorm';

import { TenantTransaction } from '../../../../platform/database/tenant-transaction.js';
import { InvoiceRepository, type InvoicePage } from '../../application/ports/invoice-repository.js';
import { InvoiceError } from '../../domain/errors.js';
import type { Invoice, NewInvoice } from '../../domain/invoice.js';
import { toInvoice, toNewRow } from './invoice.mapper.js';
import { InvoiceRow } from './invoice.row.js';

/** Every statement names the tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormInvoiceRepository extends InvoiceRepository {
  constructor(private readonly tenants: TenantTransaction) {
    super();
  }

  override async transaction<T>(tenantId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.tenants.run(tenantId, work);
  }

  override async insert(manager: EntityManager, invoice: NewInvoice): Promise<Invoice> {
    const rows = manager.getRepository(InvoiceRow);
    try {
      await rows.insert(toNewRow(invoice));
    } catch (cause) {
      throw isDuplicateNumber(cause) ? new InvoiceError('duplicate_invoice_number') : cause;
    }
    return toInvoice(await rows.findOneByOrFail({ tenantId: invoice.tenantId, id: invoice.id }));
  }

  override async findForUpdate(
    manager: EntityManager,
    tenantId: string,
    id: string,
  ): Promise<Invoice | null> {
    const row = await manager
      .getRepository(InvoiceRow)
      .findOne({ where: { tenantId, id }, lock: { mode: 'pessimistic_write' } });
    return row === null ? null : toInvoice(row);
  }

  override async updateStatus(manager: EntityManager, { id, tenantId, status }: Invoice): Promise<Invoice> {
    const rows = manager.getRepository(InvoiceRow);
    await rows.update({ tenantId, id }, { status, updatedAt: () => 'now()' });
    return toInvoice(await rows.findOneByOrFail({ tenantId, id }));
  }

  override async find(manager: EntityManager, tenantId: string, id: string): Promise<Invoice | null> {
    const row = await manager.getRepository(InvoiceRow).findOneBy({ tenantId, id });
    return row === null ? null : toInvoice(row);
  }

  override async list(
    manager: EntityManager,
    tenantId: string,
    limit: number,
    afterId: string | null,
  ): Promise<InvoicePage> {
    // Ids are UUIDv7: their order is that of creation, and the primary key serves it. One more tells of another page.
    const rows = await manager.getRepository(InvoiceRow).find({
      where: { tenantId, ...(afterId === null ? {} : { id: LessThan(afterId) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return { invoices: rows.slice(0, limit).map(toInvoice), hasMore: rows.length > limit };
  }
}

function isDuplicateNumber(cause: unknown): boolean {
  if (!(cause instanceof QueryFailedError)) return false;
  const error: unknown = cause.driverError;
  return (
    typeof error === 'object' &&
    error !== null &&
    'constraint' in error &&
    error.constraint === 'invoices_number_uq'
  );
}
