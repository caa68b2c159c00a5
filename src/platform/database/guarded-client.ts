import type { Socket } from 'node:net';

import pg from 'pg';

import {
  beginStatement,
  MIGRATION_LIMITS,
  SERVICE_LIMITS,
  type TransactionLimits,
} from './transaction-settings.js';

/**
 * Milliseconds that a statement may take beyond the limit of the server before the connection is given up. Statements that
 * commit by themselves have no other limit: a setting of the session would be lost behind a pooler that hands out
 * connections by transaction.
 */
const ANSWER_MARGIN_MS = 5_000;

/** What `pg` says when no answer came in time. */
const NO_ANSWER = 'Query read timeout';

/** What TypeORM begins a transaction with. */
const TYPEORM_BEGIN = 'START TRANSACTION';

/**
 * A connection whose end is never the end of the process, and whose transactions all begin as {@link beginStatement} says,
 * whoever opens them. A statement that is not answered in time ends it: whatever it still does there, nobody waits for it, and
 * nobody gets this connection again.
 *
 * A client without a listener for `error` throws when the server cuts it; the pool listens only while the client is idle
 * and TypeORM only between its own connect and release, which leaves moments at which nobody does. Nothing is lost by the
 * listener: a query under way or still to come on this client rejects, and the pool reports the idle ones.
 */
export class GuardedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig, limits: TransactionLimits = SERVICE_LIMITS) {
    super({
      ...(typeof config === 'string' ? { connectionString: config } : config),
      ...(limits.statementMs === 0 ? {} : { query_timeout: limits.statementMs + ANSWER_MARGIN_MS }),
    });
    this.on('error', () => undefined);
    const begin = beginStatement(limits);
    const send = this.query.bind(this) as (...given: unknown[]) => unknown;
    // Here and not in a statement of its own: TypeORM has no place for it, and a round trip more would be paid each time.
    Object.defineProperty(this, 'query', {
      value: (text: unknown, ...rest: unknown[]) => {
        const answer = send(text === TYPEORM_BEGIN ? begin : text, ...rest);
        if (answer instanceof Promise) {
          answer.catch((cause: unknown) => {
            if (cause instanceof Error && cause.message === NO_ANSWER) this.giveUp();
          });
        }
        return answer;
      },
    });
  }

  /** Without a good-bye, which would wait for the answer as well. */
  private giveUp(): void {
    const { connection } = this as unknown as { connection: { stream: Socket } };
    connection.stream.destroy();
  }
}

/** The same for migrations, which may take their time. */
export class MigrationClient extends GuardedClient {
  constructor(config?: string | pg.ClientConfig) {
    super(config, MIGRATION_LIMITS);
  }
}
