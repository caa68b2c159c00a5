import pg from 'pg';

/**
 * A connection whose end is never the end of the process. A client without a listener for `error` throws when the server
 * cuts it; the pool listens only while the client is idle and TypeORM only between its own connect and release, which
 * leaves moments at which nobody does. Nothing is lost by the listener: a query under way or still to come on this
 * client rejects, and the pool reports the idle ones.
 */
export class GuardedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
