import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { useContainer } from 'class-validator';

import { AppModule } from './app.module.js';
import { mintToken } from './platform/auth/mint-token.js';
import { ConfigurationError } from './platform/config/configuration-error.js';
import { readConfiguration, type Configuration } from './platform/config/configuration.js';
import { readEnvironment, type Environment } from './platform/config/environment.js';
import { EmbeddedDatabase, EmbeddedDatabaseBusyError } from './platform/database/embedded-database.js';
import { DatabaseNotReadyError, prepareDatabase } from './platform/database/prepare-database.js';
import { configureHttpApp, fastifyAdapter } from './platform/http/configure-http-app.js';
import { NestLogger } from './platform/observability/nest-logger.js';
import { serveOpenApi } from './platform/observability/openapi.js';
import { PinoAppLogger } from './platform/observability/pino-app-logger.js';

/** Milliseconds beyond the time budget of an attempt after which a shutdown that hangs is cut short. */
const SHUTDOWN_MARGIN_MS = 2_000;

/** Runs the server until it is told to stop. @returns the exit code */
export async function run(processEnv: Environment): Promise<number> {
  let embedded: EmbeddedDatabase | null = null;
  try {
    const configuration = readConfiguration(readEnvironment(processEnv));
    const logger = new PinoAppLogger(configuration.log);
    if (configuration.database.url === null)
      embedded = await EmbeddedDatabase.start(configuration.database.dataDir);
    const databaseUrl = configuration.database.url ?? embedded?.url ?? '';
    const prepared = await prepareDatabase(databaseUrl, {
      migrate: configuration.database.migrateOnStart,
      strict: configuration.server.production,
    });
    for (const name of prepared.migrated) logger.info(`Migrated the database: ${name}`);
    warn(configuration, prepared.warnings, logger);

    const app = await createApp(configuration, databaseUrl, logger);
    await app.listen(configuration.server.port, configuration.server.host);
    await announce(configuration, await app.getUrl(), logger);
    await stopSignal();
    return await shutDown(app, embedded, configuration, logger);
  } catch (cause) {
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
  // class-validator makes its constraints through Nest, so that they can be injected into.
  useContainer(
    { get: (type: Type): unknown => app.get(type, { strict: false }) },
    { fallbackOnErrors: true },
  );
  await configureHttpApp(app, http, logger);
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
    logger.warn(
      `WEBHOOK_ALLOW_INSECURE_TARGETS=${allowInsecureTargets}: deliveries may go to unencrypted or private targets; for development only`,
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
  if (database.url !== null || auth.key.kind !== 'secret') return;
  const { issuer, audience } = auth;
  const token = await mintToken({ secret: auth.key.secret, tenantId: 'demo', ttl: '7d', issuer, audience });
  process.stdout.write(
    [
      '',
      `GestiqCloud Webhooks is ready: ${url} (API documentation: ${url}/docs)`,
      '',
      'A token of the tenant "demo", good for 7 days:',
      '',
      `export TOKEN=${token}`,
      '',
      'Try it:',
      '',
      `curl -s -H "Authorization: Bearer ${token}" ${url}/api/v1/tenant/webhooks/subscriptions`,
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

/** Says why the server did not start: for what an administrator can mend, in words and without a stack. */
function refuse(cause: unknown): number {
  const expected =
    cause instanceof ConfigurationError ||
    cause instanceof DatabaseNotReadyError ||
    cause instanceof EmbeddedDatabaseBusyError;
  const isPortTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  if (expected) process.stderr.write(`${cause.message}\n`);
  else if (isPortTaken)
    process.stderr.write(`The port is taken: ${cause.message}. Set PORT to another one.\n`);
  else
    process.stderr.write(
      `The server did not start: ${cause instanceof Error ? (cause.stack ?? '') : String(cause)}\n`,
    );
  return 1;
}
