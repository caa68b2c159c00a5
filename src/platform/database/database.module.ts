import { Module } from '@nestjs/common';

import { TenantTransaction } from './tenant-transaction.js';

/** Tenant transactions over the application's TypeORM data source. */
@Module({ providers: [TenantTransaction], exports: [TenantTransaction] })
export class DatabaseModule {}
