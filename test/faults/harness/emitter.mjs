/**
 * A module of the ERP in a process of its own: emits events inside its own transactions, through the built service, as
 * the test tells it over IPC. It stores and rings, and never delivers (WEBHOOK_ROLE=api).
 */
import 'reflect-metadata';

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';

const load = (path) => import(pathToFileURL(join(process.env.FAULTS_BUILD, path)).href);
const { readConfiguration } = await load('platform/config/configuration.js');
const { migrate } = await load('platform/database/migrate.js');
const { PinoAppLogger } = await load('platform/observability/pino-app-logger.js');
const { NestLogger } = await load('platform/observability/nest-logger.js');
const { AppModule } = await load('app.module.js');
const { WebhookEmitter } = await load('modules/webhooks/index.js');
const { CreateSubscription } = await load('modules/webhooks/application/create-subscription.js');

const configuration = readConfiguration(process.env);
const logger = new PinoAppLogger(configuration.log);
await migrate(configuration.database.url);
const app = await NestFactory.createApplicationContext(
  AppModule.forRoot(configuration, configuration.database.url, logger),
  { logger: new NestLogger(logger), abortOnError: false },
);
const dataSource = app.get(DataSource);
const webhooks = app.get(WebhookEmitter);

const ACTOR = { subject: 'emitter', requestId: null };

class RolledBackOnPurpose extends Error {}

async function emit({ number, lane, tenantId, event, rollBack }) {
  try {
    await dataSource.transaction(async (manager) => {
      await webhooks.emit(manager, { tenantId, event, payload: { number, lane } });
      if (rollBack) throw new RolledBackOnPurpose();
    });
    return { number, fate: 'committed' };
  } catch (cause) {
    if (cause instanceof RolledBackOnPurpose) return { number, fate: 'rolled_back' };
    return { number, fate: 'unknown', reason: String(cause) };
  }
}

const operations = {
  async emit({ events, concurrency }) {
    const waiting = [...events];
    const work = async () => {
      for (let event = waiting.shift(); event; event = waiting.shift()) {
        process.send({ emitted: await emit(event) });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  },
  async subscribe({ lanes }) {
    const created = [];
    for (const { tenantId, event, url } of lanes) {
      const { subscription } = await app
        .get(CreateSubscription)
        .execute({ tenantId, actor: ACTOR, event, url });
      created.push(subscription.id);
    }
    return created;
  },
  /** The process ends by SIGKILL after the next COMMIT was answered and before anybody was rung. */
  async dieAfterCommit() {
    dataSource.subscribers.unshift({
      afterTransactionCommit() {
        process.kill(process.pid, 'SIGKILL');
      },
    });
  },
};

process.on('message', ({ id, operation, ...input }) => {
  operations[operation](input).then(
    (result) => process.send({ done: id, result }),
    (cause) => process.send({ done: id, error: cause.stack ?? String(cause) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
