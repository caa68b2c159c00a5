import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { DatabaseModule } from '../../platform/database/database.module.js';
import { IdGenerator } from '../../platform/kernel/id-generator.js';
import { UuidV7Generator } from '../../platform/kernel/uuid.js';
import { InvoicesController } from './api/invoices.controller.js';
import { ChangeInvoiceState } from './application/change-invoice-state.js';
import { CreateInvoice } from './application/create-invoice.js';
import { InvoiceRepository } from './application/ports/invoice-repository.js';
import { ReadInvoices } from './application/read-invoices.js';
import { InvoiceRow } from './infrastructure/persistence/invoice.row.js';
import { TypeormInvoiceRepository } from './infrastructure/persistence/typeorm-invoice-repository.js';

/** The reference emitter. `WebhookEmitter` needs no import here: the webhooks module offers it to the whole application. */
@Module({
  imports: [DatabaseModule, TypeOrmModule.forFeature([InvoiceRow])],
  controllers: [InvoicesController],
  providers: [
    CreateInvoice,
    ChangeInvoiceState,
    ReadInvoices,
    { provide: InvoiceRepository, useClass: TypeormInvoiceRepository },
    { provide: IdGenerator, useClass: UuidV7Generator },
  ],
})
export class InvoicingModule {}
