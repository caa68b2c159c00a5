import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';

import { GuardedClient } from './guarded-client.js';
import { SilentLogger } from './silent-logger.js';

/** Milliseconds to wait for a connection before saying that the database does not answer. */
const CONNECT_TIMEOUT_MS = 5_000;

/** How the service reaches PostgreSQL. Entities are added by the modules that own them. */
export function dataSourceOptions(url: string, poolSize: number): DataSourceOptions {
  return {
    type: 'postgres',
    // The copy that GuardedClient extends; TypeORM would look for one by name.
    driver: pg,
    url,
    poolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: 'gestiqcloud-webhooks',
    migrationsTransactionMode: 'each',
    // Qualified in what TypeORM writes: a default search_path may lead elsewhere outside of our transactions.
    schema: 'public',
    synchronize: false,
    logging: false,
    logger: new SilentLogger(),
    // Kept alive, so that a connection into nowhere ends instead of waiting for an answer.
    extra: { idleTimeoutMillis: 30_000, keepAlive: true, Client: GuardedClient },
  };
}
