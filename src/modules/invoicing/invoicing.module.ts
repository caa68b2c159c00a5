import { Module, type DynamicModule } from '@nestjs/common';
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

@Module({})
export class InvoicingModule {
  /**
   * @param webhooks the application's own `WebhooksModule.forRoot(…)`, the very object that the root imports: a second
   * one would be a second delivery engine.
   */
  static forRoot(webhooks: DynamicModule): DynamicModule {
    return {
      module: InvoicingModule,
      imports: [DatabaseModule, TypeOrmModule.forFeature([InvoiceRow]), webhooks],
      controllers: [InvoicesController],
      providers: [
        CreateInvoice,
        ChangeInvoiceState,
        ReadInvoices,
        { provide: InvoiceRepository, useClass: TypeormInvoiceRepository },
        { provide: IdGenerator, useClass: UuidV7Generator },
      ],
    };
  }
}
