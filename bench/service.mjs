/** The compiled service without delivery (WEBHOOK_ROLE=api): what is measured is what is shipped. */
import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';

import { AppModule } from '../dist/app.module.js';
import { CreateSubscription } from '../dist/modules/webhooks/application/create-subscription.js';
import { LaneDispatcher } from '../dist/modules/webhooks/application/ports/lane-dispatcher.js';
import { WebhookEmitter } from '../dist/modules/webhooks/index.js';
import { readConfiguration } from '../dist/platform/config/configuration.js';
import { migrate } from '../dist/platform/database/migrate.js';
import { PinoAppLogger } from '../dist/platform/observability/pino-app-logger.js';

export async function startService(env) {
  const configuration = readConfiguration(env);
  await migrate(configuration.database.url);
  const logger = new PinoAppLogger(configuration.log);
  const module = AppModule.forRoot(configuration, configuration.database.url, logger);
  const app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const dataSource = app.get(DataSource);
  return {
    close: () => app.close(),
    createSubscription: (command) => app.get(CreateSubscription).execute(command),
    emit: (manager, event) => app.get(WebhookEmitter).emit(manager, event),
    ring: (lanes) => app.get(LaneDispatcher).ring(lanes),
    transaction: (work) => dataSource.transaction(work),
  };
}
