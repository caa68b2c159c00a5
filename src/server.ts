import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { AppModule } from './app.module.js';
import { mintToken } from './platform/auth/mint-token.js';
import { ConfigurationError } from './platform/config/configuration-error.js';
import { readConfiguration, type Configuration } from './platform/config/configuration.js';
import { readEnvironment, type Environment } from './platform/config/environment.js';
import { EmbeddedDatabase, EmbeddedDatabaseBusyError } from './platform/database/embedded-database.js';
import { DatabaseNotReadyError, prepareDatabase } from './platform/database/prepare-database.js';
import { configureHttpApp, fastifyAdapter } from './platform/http/configure-http-app.js';
import { servePanel } from './platform/http/serve-panel.js';
import { loggedError } from './platform/observability/logged-error.js';
import { NestLogger } from './platform/observability/nest-logger.js';
import { serveOpenApi } from './platform/observability/openapi.js';
import { PinoAppLogger } from './platform/observability/pino-app-logger.js';
import { sqlFailureOf } from './platform/observability/sql-failure.js';

/** Milliseconds beyond the time budget of an attempt after which a shutdown that hangs is cut short. */
const SHUTDOWN_MARGIN_MS = 2_000;

/** Runs the server until it is told to stop. @returns the exit code */
export async function run(processEnv: Environment): Promise<number> {
  let embedded: EmbeddedDatabase | null = null;
  let app: NestFastifyApplication | null = null;
  try {
    const configuration = readConfiguration(readEnvironment(processEnv));
    const logger = new PinoAppLogger(configuration.log);
    if (configuration.database.url === null)
      embedded = await EmbeddedDatabase.start(configuration.database.dataDir);
    const databaseUrl = configuration.database.url ?? embedded?.url ?? '';
    const prepared = await prepareDatabase(databaseUrl, {
      migrate: configuration.database.migrateOnStart,
      strict: configuration.server.production,
      embedded: embedded !== null,
    });
    for (const name of prepared.migrated) logger.info(`Migrated the database: ${name}`);
    warn(configuration, prepared.warnings, logger);

    app = await createApp(configuration, databaseUrl, logger);
    await app.listen(configuration.server.port, configuration.server.host);
    await announce(configuration, await app.getUrl(), logger);
    await stopSignal();
    return await shutDown(app, embedded, configuration, logger);
  } catch (cause) {
    // The engine starts before the port is taken: it has to stop before its database does.
    await app?.close();
    await embedded?.stop();
    return refuse(cause);
  }
}

async function createApp(
  configuration: Configuration,
  databaseUrl: string,
  logger: PinoAppLogger,
): Promise<NestFastifyApplication> {
  const http = configuration.server;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(configuration, databaseUrl, logger),
    fastifyAdapter(http),
    { logger: new NestLogger(logger), abortOnError: false, bodyParser: false },
  );
  await configureHttpApp(app, http, logger);
  if (configuration.server.role !== 'worker') await servePanel(app);
  serveOpenApi(app, {
    title: 'GestiqCloud Webhooks',
    description:
      'Subscribe HTTPS endpoints to the events of your tenant; see, retry and replay every delivery.',
    version: '1.0',
  });
  return app;
}

function warn(configuration: Configuration, warnings: readonly string[], logger: PinoAppLogger): void {
  for (const warning of warnings) logger.warn(warning);
  const { allowInsecureTargets } = configuration.delivery;
  if (allowInsecureTargets !== 'false') {
    const opened =
      allowInsecureTargets === 'loopback'
        ? 'http(s) on this machine, ports from 1024'
        : 'any unencrypted or private target';
    logger.warn(
      `WEBHOOK_ALLOW_INSECURE_TARGETS=${allowInsecureTargets}: deliveries may go to ${opened}; for development only`,
    );
  }
}

/** Tells where it listens; with the embedded database also how to try it at once. */
async function announce(configuration: Configuration, url: string, logger: PinoAppLogger): Promise<void> {
  const { server, delivery, database, auth } = configuration;
  logger.info(`Listening on ${url}`, {
    role: server.role,
    database: database.url === null ? 'embedded' : 'postgresql',
    dispatcher: delivery.redisUrl === null ? 'inline' : 'redis',
  });
  // In production, a credential has no place in what is printed: `npm run token` mints one.
  if (server.production || database.url !== null || auth.key.kind !== 'secret') return;
  const { issuer, audience } = auth;
  const token = await mintToken({ secret: auth.key.secret, tenantId: 'demo', ttl: '7d', issuer, audience });
  logger.flush();
  process.stdout.write(
    [
      '',
      `GestiqCloud Webhooks is ready: ${url} (panel: ${url}/panel/, API documentation: ${url}/docs)`,
      '',
      'Paste these two lines into another shell. The token is of the tenant "demo" and good for 7 days:',
      '',
      `export URL=${url}`,
      `export TOKEN=${token}`,
      '',
      'Try it. This lists the subscriptions of the tenant; there are none at first, so it prints []:',
      '',
      `curl -s -w '\\n' -H "Authorization: Bearer ${token}" ${url}/api/v1/tenant/webhooks/subscriptions`,
      '',
      'Next, subscribe, emit, see it arrive, see why one failed, retry: "Two-minute walk" in README.md. Ctrl-C stops.',
      '',
      '',
    ].join('\n'),
  );
}

async function stopSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}

/** Stops claiming, lets attempts under way finish, then closes broker and database; bounded in time. */
async function shutDown(
  app: NestFastifyApplication,
  embedded: EmbeddedDatabase | null,
  configuration: Configuration,
  logger: PinoAppLogger,
): Promise<number> {
  logger.info('Stopping');
  const limit = setTimeout(() => {
    logger.error('The shutdown took too long; what was under way is given back when its lease ends');
    process.exit(1);
  }, configuration.delivery.timeoutMs + SHUTDOWN_MARGIN_MS);
  await app.close();
  await embedded?.stop();
  clearTimeout(limit);
  logger.info('Stopped');
  return 0;
}

/** What an administrator does about a port that cannot be listened on, by the system's code. */
const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there (this one, started twice?). Stop it, or set PORT to another one',
  EACCES: 'this user may not listen there. Set PORT to 1024 or higher',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has, or to 0.0.0.0 for all',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine, or to 0.0.0.0 for all',
};

/** Says why the server did not start: for what an administrator can mend, in words and without a stack. */
function refuse(cause: unknown): number {
  process.stderr.write(`${reasonOf(cause)}\n`);
  return 1;
}

function reasonOf(cause: unknown): string {
  if (
    cause instanceof ConfigurationError ||
    cause instanceof DatabaseNotReadyError ||
    cause instanceof EmbeddedDatabaseBusyError
  ) {
    return cause.message;
  }
  if (!(cause instanceof Error)) return `The server did not start: ${String(cause)}`;
  if (sqlFailureOf(cause) !== null) return `The server did not start: ${JSON.stringify(loggedError(cause))}`;
  // The operating system refused something, usually a folder: its message says what and where.
  const isSystemError = 'syscall' in cause;
  return (
    listenProblem(cause) ??
    `The server did not start: ${isSystemError ? cause.message : (cause.stack ?? cause.message)}`
  );
}

function listenProblem(cause: unknown): string | null {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return null;
  const advice = LISTEN_ADVICE[String(cause.code)];
  if (advice === undefined || !/^(listen|getaddrinfo)$/.test(String(cause.syscall))) return null;
  const port = 'port' in cause ? ` on port ${String(cause.port)}` : '';
  return `The server cannot listen${port}: ${advice}.`;
}
