import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { AppModule } from './app.module.js';
import { AttemptsUnderWay } from './modules/webhooks/index.js';
import type { Configuration } from './platform/config/configuration.js';
import { configureHttpApp, fastifyAdapter } from './platform/http/configure-http-app.js';
import { RequestGate } from './platform/http/request-gate.js';
import { servePanel } from './platform/http/serve-panel.js';
import { NestLogger } from './platform/observability/nest-logger.js';
import { serveOpenApi } from './platform/observability/openapi.js';
import type { PinoAppLogger } from './platform/observability/pino-app-logger.js';

/** The application and its way in, as far as they have come. */
export interface RunningHttpApp {
  app: NestFastifyApplication | null;
  gate: RequestGate | null;
  /** Milliseconds by which the longest time budget under way exceeds the usual one. */
  extraMs: () => number;
}

/** Makes the application, not yet listening; `running` names what must be closed even when a later step fails. */
export async function createHttpApp(
  running: RunningHttpApp,
  configuration: Configuration,
  databaseUrl: string,
  logger: PinoAppLogger,
): Promise<void> {
  const http = configuration.server;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(configuration, databaseUrl, logger),
    fastifyAdapter(http),
    { logger: new NestLogger(logger), abortOnError: false, bodyParser: false },
  );
  running.app = app;
  running.extraMs = () => app.get(AttemptsUnderWay, { strict: false }).extraMs;
  await configureHttpApp(app, http, logger);
  running.gate = new RequestGate(app.getHttpAdapter().getInstance());
  if (configuration.server.role !== 'worker') await servePanel(app);
  serveOpenApi(app, {
    title: 'GestiqCloud Webhooks',
    description:
      'Subscribe HTTPS endpoints to the events of your tenant; see, retry and replay every delivery.',
    version: '1.0',
  });
}
