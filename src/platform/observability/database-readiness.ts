import { Injectable, type OnModuleInit } from '@nestjs/common';
import { TypeOrmHealthIndicator } from '@nestjs/terminus';
import { DataSource } from 'typeorm';

import { ReadinessCheck, ReadinessRegistry, type ReadinessResult } from './readiness.js';

/** Milliseconds that the database may take to answer. */
const PING_TIMEOUT_MS = 2_000;

@Injectable()
export class DatabaseReadiness extends ReadinessCheck implements OnModuleInit {
  override readonly name = 'database';

  constructor(
    private readonly typeorm: TypeOrmHealthIndicator,
    private readonly connection: DataSource,
    private readonly registry: ReadinessRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override async check(): Promise<ReadinessResult> {
    const result = await this.typeorm.pingCheck('database', {
      connection: this.connection,
      timeout: PING_TIMEOUT_MS,
    });
    return result.database.status === 'up' ? { status: 'up' } : { status: 'down', reason: 'no answer' };
  }
}
