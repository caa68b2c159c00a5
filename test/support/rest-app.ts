import { randomBytes } from 'node:crypto';

import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';

import { AppModule } from '../../src/app.module.js';
import { readConfiguration } from '../../src/platform/config/configuration.js';
import { configureHttpApp, fastifyAdapter } from '../../src/platform/http/configure-http-app.js';
import { openApiDocument } from '../../src/platform/observability/openapi.js';
import { PinoAppLogger } from '../../src/platform/observability/pino-app-logger.js';
import { ApiClient, signToken } from './api-client.js';
import { ApiDocument } from './api-document.js';
import { createMigratedDatabase } from './migrated-database.js';

const JWT_SECRET = 'integration-secret-of-32-characters';

export interface RestApp {
  readonly url: string;
  /** As a user who sees and may change every tenant's rows. */
  readonly databaseUrl: string;
  /** What the built server serves at `/docs-json`; its page `/docs` cannot be loaded under jest. */
  readonly document: ApiDocument;
  /** Every route that the application registered, with Fastify's own `HEAD` beside each `GET`. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** A client with a token of this tenant; without tenant, one whose token names none. */
  clientOf(tenantId: string | undefined, scope?: string): Promise<ApiClient>;
  /** The header of such a client, for requests that it cannot make. */
  authorizationOf(tenantId: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * The application of the sources, not of the build, listening in this process on a database of its own. It stores and
 * serves and delivers nothing (`WEBHOOK_ROLE=api`).
 *
 * @param env variables beyond those, or instead of them
 * @param databaseUrl a migrated database to use instead; it stays
 * @param reachAt where it reaches its database, when not directly
 */
export async function startRestApp(
  env: Readonly<Record<string, string>> = {},
  databaseUrl?: string,
  reachAt: (databaseUrl: string) => string = (url) => url,
): Promise<RestApp> {
  const database =
    databaseUrl === undefined
      ? await createMigratedDatabase()
      : { url: databaseUrl, drop: () => Promise.resolve() };
  const configuration = readConfiguration({
    DATABASE_URL: database.url,
    JWT_SECRET,
    WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    WEBHOOK_ROLE: 'api',
    LOG_LEVEL: 'silent',
    WEBHOOK_API_RATE_LIMIT_PER_MINUTE: '0',
    ...env,
  });
  const logger = new PinoAppLogger(configuration.log);
  const testing = await Test.createTestingModule({
    imports: [AppModule.forRoot(configuration, reachAt(database.url), logger)],
  }).compile();
  const app = testing.createNestApplication<NestFastifyApplication>(fastifyAdapter(configuration.server), {
    bodyParser: false,
    logger: false,
  });
  const routes: { method: string; path: string }[] = [];
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', ({ method, url: path }: RouteOptions) => {
    for (const one of [method].flat()) routes.push({ method: one, path });
  });
  await configureHttpApp(app, configuration.server, logger);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const document = openApiDocument(app, {
    title: 'REST',
    description: 'The application under test.',
    version: '1',
  });
  return {
    url,
    databaseUrl: database.url,
    routes,
    document: ApiDocument.of(JSON.stringify(document)),
    clientOf: async (tenantId, scope) =>
      new ApiClient(
        url,
        await signToken({
          secret: JWT_SECRET,
          ...(tenantId === undefined ? {} : { tenantId }),
          ...(scope === undefined ? {} : { scope }),
        }),
      ),
    authorizationOf: async (tenantId) =>
      `Bearer ${await signToken({ secret: JWT_SECRET, tenantId, ttlSeconds: 7_200 })}`,
    close: async () => {
      await app.close();
      await database.drop();
    },
  };
}
