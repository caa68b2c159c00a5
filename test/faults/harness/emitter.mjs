/**
 * Modules of the ERP in a process of their own: each emits events inside its own transactions, through the built service, as
 * the test tells it over IPC. It stores and rings, and never delivers (WEBHOOK_ROLE=api). One process serves many tests,
 * because booting it costs more than most of what it emits. `built/` is the build under test (see emitter-bundle.ts).
 */
import 'reflect-metadata';

import { AppModule } from 'built/app.module.js';
import { CreateSubscription } from 'built/modules/webhooks/application/create-subscription.js';
import { WebhookEmitter } from 'built/modules/webhooks/index.js';
import { readConfiguration } from 'built/platform/config/configuration.js';
import { migrate } from 'built/platform/database/migrate.js';
import { NestLogger } from 'built/platform/observability/nest-logger.js';
import { PinoAppLogger } from 'built/platform/observability/pino-app-logger.js';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';

const ACTOR = { subject: 'emitter', requestId: null };

class RolledBackOnPurpose extends Error {}

/** Milliseconds for closing what may have lost its servers. */
const CLOSE_MS = 2_000;

/** @type {Map<number, {app: import('@nestjs/common').INestApplicationContext, dataSource: DataSource}>} */
const modules = new Map();

async function emit({ dataSource, app }, { number, lane, tenantId, event, orderingKey, rollBack }) {
  let emittedAtMs = 0;
  try {
    await dataSource.transaction(async (manager) => {
      emittedAtMs = Date.now();
      const ordered = orderingKey === null ? {} : { orderingKey };
      const payload = { number, lane, third: number % 3 };
      await app.get(WebhookEmitter).emit(manager, { tenantId, event, payload, ...ordered });
      if (rollBack) throw new RolledBackOnPurpose();
    });
    return { number, fate: 'committed', times: { emittedAtMs, committedAtMs: Date.now() } };
  } catch (cause) {
    if (cause instanceof RolledBackOnPurpose) return { number, fate: 'rolled_back' };
    return { number, fate: 'unknown', reason: String(cause) };
  }
}

const operations = {
  async migrate({ url }) {
    await migrate(url);
  },
  async open({ module, env }) {
    const configuration = readConfiguration({ ...process.env, ...env });
    const { url } = configuration.database;
    const logger = new PinoAppLogger(configuration.log);
    const app = await NestFactory.createApplicationContext(AppModule.forRoot(configuration, url, logger), {
      logger: new NestLogger(logger),
      abortOnError: false,
    });
    modules.set(module, { app, dataSource: app.get(DataSource) });
  },
  async close({ module }) {
    const open = modules.get(module);
    modules.delete(module);
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([open?.app.close(), late]);
  },
  async emit({ module, events, concurrency }) {
    const open = modules.get(module);
    const waiting = [...events];
    const work = async () => {
      for (let event = waiting.shift(); event; event = waiting.shift()) {
        process.send({ module, emitted: await emit(open, event) });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  },
  async subscribe({ module, lanes }) {
    const created = [];
    const create = modules.get(module).app.get(CreateSubscription);
    for (const lane of lanes) {
      const { subscription } = await create.execute({ ...lane, actor: ACTOR });
      created.push({ id: subscription.id, publicKey: subscription.settings.publicKey });
    }
    return created;
  },
  /** The process ends by SIGKILL after the next COMMIT was answered and before anybody was rung. */
  async dieAfterCommit({ module }) {
    modules.get(module).dataSource.subscribers.unshift({
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
