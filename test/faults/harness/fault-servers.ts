import { startPostgres, type PostgresServer } from '../../support/postgres-server.js';
import { startRedis, type RedisServer } from '../../support/redis-server.js';
import { createTestDatabase, preparedTemplate, type TestDatabase } from '../../support/test-database.js';
import { EmitterProcess } from './emitter-process.js';
import { ServerSwitch } from './server-switch.js';
import { BUILD } from './settings.js';

export interface ServerOptions {
  /** Whether PostgreSQL has a standby that has every event before its emit is answered. Default false. */
  readonly standby?: boolean;
}

/** The standby of a PostgreSQL, and the address that both share. */
interface Standby {
  readonly server: PostgresServer;
  readonly address: ServerSwitch;
}

/** The servers of a test file: private, so that they may be flushed, cut and killed; and a process that emits. */
export class FaultServers {
  private constructor(
    readonly postgres: PostgresServer,
    private readonly standby: Standby | null,
    readonly redis: RedisServer,
    /** Shared by the labs; a test that kills an emitter starts one of its own. */
    readonly emitters: EmitterProcess,
    /** The name of a database with all migrations, of which labs are copies. */
    private readonly template: string,
  ) {}

  static async start(options: ServerOptions = {}): Promise<FaultServers> {
    const started: (() => Promise<void>)[] = [];
    try {
      const emitters = await EmitterProcess.start();
      started.push(() => emitters.kill());
      const template = ({ url }: PostgresServer): Promise<string> =>
        preparedTemplate(url, BUILD, (empty) => emitters.migrate(empty));
      const postgres = await startPostgres({ preparation: { name: BUILD, prepare: template } });
      started.push(() => postgres.dispose());
      const redis = await startRedis();
      started.push(() => redis.dispose());
      const migrated = await template(postgres);
      let standby: Standby | null = null;
      if (options.standby === true) {
        const server = await postgres.startStandby();
        started.push(() => server.dispose());
        standby = { server, address: await ServerSwitch.to(postgres.port) };
      }
      return new FaultServers(postgres, standby, redis, emitters, migrated);
    } catch (error) {
      for (const stop of started) await stop();
      throw error;
    }
  }

  async createDatabase(): Promise<TestDatabase> {
    return createTestDatabase(addressOf(this.postgres, this.standby), { template: this.template });
  }

  /**
   * PostgreSQL crashes while `during` goes on, at a moment at which its standby has not got everything that was asked of it; the
   * standby takes its place at the same address, for good.
   *
   * @param during resolves when the crash may come
   */
  async failOver(during: () => Promise<void>): Promise<void> {
    if (this.standby === null) throw new Error('These servers have no standby');
    const { server, address } = this.standby;
    await this.postgres.assertIsMine();
    await server.assertIsMine();
    const receiver = await server.receiverPid();
    process.kill(receiver, 'SIGSTOP');
    try {
      await during();
      address.lead(null);
      await this.postgres.kill();
    } finally {
      process.kill(receiver, 'SIGCONT');
    }
    await server.promote();
    address.lead(server.port);
  }

  async dispose(): Promise<void> {
    await this.emitters.kill();
    await this.standby?.address.close();
    await Promise.all([this.postgres.dispose(), this.standby?.server.dispose(), this.redis.dispose()]);
  }
}

function addressOf(postgres: PostgresServer, standby: Standby | null): string {
  const url = new URL(postgres.url);
  if (standby !== null) url.port = String(standby.address.port);
  return url.toString();
}
