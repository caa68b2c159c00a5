import pg from 'pg';

import {
  beginStatement,
  MIGRATION_LIMITS,
  SERVICE_LIMITS,
  type TransactionLimits,
} from './transaction-settings.js';

/** What TypeORM begins a transaction with. */
const TYPEORM_BEGIN = 'START TRANSACTION';

/**
 * A connection whose end is never the end of the process, and whose transactions all begin as {@link beginStatement} says,
 * whoever opens them.
 *
 * A client without a listener for `error` throws when the server cuts it; the pool listens only while the client is idle
 * and TypeORM only between its own connect and release, which leaves moments at which nobody does. Nothing is lost by the
 * listener: a query under way or still to come on this client rejects, and the pool reports the idle ones.
 */
export class GuardedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig, limits: TransactionLimits = SERVICE_LIMITS) {
    super(config);
    this.on('error', () => undefined);
    const begin = beginStatement(limits);
    const send = this.query.bind(this) as (...given: unknown[]) => unknown;
    // Here and not in a statement of its own: TypeORM has no place for it, and a round trip more would be paid each time.
    Object.defineProperty(this, 'query', {
      value: (text: unknown, ...rest: unknown[]) => send(text === TYPEORM_BEGIN ? begin : text, ...rest),
    });
  }
}

/** The same for migrations, which may take their time. */
export class MigrationClient extends GuardedClient {
  constructor(config?: string | pg.ClientConfig) {
    super(config, MIGRATION_LIMITS);
  }
}
