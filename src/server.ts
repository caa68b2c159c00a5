import { announce, warn } from './announcement.js';
import type { RunningHttpApp } from './http-app.js';
import { readConfiguration, type Configuration } from './platform/config/configuration.js';
import { readEnvironment, type Environment } from './platform/config/environment.js';
import type { EmbeddedDatabase } from './platform/database/embedded-database.js';
import { PinoAppLogger } from './platform/observability/pino-app-logger.js';
import { endOnUncaught, logProcessOutput } from './platform/observability/process-output.js';
import { startSmall } from './small-start.js';
import { startRefusal } from './start-refusal.js';
import { StopSignals } from './stop-signals.js';

/** Milliseconds beyond the time budget of an attempt after which a shutdown that hangs is cut short. */
const SHUTDOWN_MARGIN_MS = 1_500;

/** Milliseconds that the embedded database then gets to close. */
const EMBEDDED_CLOSE_MS = 400;

/** A server and what has to be taken down with it, as far as it has come. */
interface Running extends RunningHttpApp {
  embedded: EmbeddedDatabase | null;
}

/** Runs the server until it is told to stop. @returns the exit code */
export async function run(processEnv: Environment): Promise<number> {
  const running: Running = { app: null, gate: null, extraMs: () => 0, embedded: null };
  const endSmallStart = startSmall();
  try {
    const configuration = readConfiguration(readEnvironment(processEnv));
    const logger = new PinoAppLogger(configuration.log);
    logProcessOutput(logger);
    const cutShort = (reason: string): void => {
      logger.error(reason);
      void endNow(running, logger);
    };
    endOnUncaught(logger, () => void endNow(running, logger));
    const signals = new StopSignals((signal) => {
      cutShort(`Stopping at once, on another ${signal}; what is under way is given back when its lease ends`);
    }, process);
    boundShutdown(signals, configuration, running, cutShort);
    await start(running, configuration, logger, signals);
    endSmallStart();
    await signals.requested;
    return await shutDown(running, logger);
  } catch (cause) {
    // The engine starts before the port is taken: it has to stop before its database does.
    await running.app?.close();
    await running.embedded?.stop();
    process.stderr.write(`${startRefusal(cause)}\n`);
    return 1;
  }
}

/**
 * A signal that comes meanwhile is heard after the step that is under way. What a step needs is loaded with it: a start that
 * is refused has not loaded what it never came to, and a server with a database of its own never loads the embedded one.
 */
async function start(
  running: Running,
  configuration: Configuration,
  logger: PinoAppLogger,
  signals: StopSignals,
): Promise<void> {
  const { database, server } = configuration;
  if (database.url === null) {
    const { EmbeddedDatabase } = await import('./platform/database/embedded-database.js');
    running.embedded = await EmbeddedDatabase.start(database.dataDir);
  }
  const databaseUrl = database.url ?? running.embedded?.url ?? '';
  if (signals.received) return;
  const { prepareDatabase } = await import('./platform/database/prepare-database.js');
  const prepared = await prepareDatabase(databaseUrl, {
    migrate: database.migrateOnStart,
    strict: server.production,
    embedded: running.embedded !== null,
  });
  sayMigrated(prepared.migrated, logger);
  warn(configuration, prepared.warnings, logger);
  if (signals.received) return;
  const { createHttpApp } = await import('./http-app.js');
  await createHttpApp(running, configuration, databaseUrl, logger);
  if (signals.received || running.app === null) return;
  await running.app.listen(server.port, server.host);
  await announce(configuration, await running.app.getUrl(), logger);
}

/** In one line: a first start has dozens, and what follows is what its reader wants. */
function sayMigrated(names: readonly string[], logger: PinoAppLogger): void {
  for (const name of names) logger.debug(`Migrated the database: ${name}`);
  const last = names.at(-1);
  if (last !== undefined) logger.info(`Migrated the database: ${names.length} steps, the last ${last}`);
}

/** From the first signal on there is an end, whatever hangs: after the longest time budget under way. */
function boundShutdown(
  signals: StopSignals,
  configuration: Configuration,
  running: Running,
  cutShort: (reason: string) => void,
): void {
  const end = (): void => {
    cutShort('The shutdown took too long; what was under way is given back when its lease ends');
  };
  void signals.requested.then(() => {
    setTimeout(() => {
      const extraMs = running.extraMs();
      if (extraMs === 0) end();
      else setTimeout(end, extraMs).unref();
    }, configuration.delivery.timeoutMs + SHUTDOWN_MARGIN_MS).unref();
  });
}

/**
 * Takes no request any more, stops claiming, lets attempts under way finish and the requests that wait for them be
 * answered, then closes broker and database.
 */
async function shutDown({ app, gate, embedded }: Running, logger: PinoAppLogger): Promise<number> {
  logger.info('Stopping');
  gate?.close();
  await app?.close();
  await embedded?.stop();
  logger.info('Stopped');
  return 0;
}

/** Without waiting for anything that could hang; the embedded database gets a moment to close its files. */
async function endNow({ embedded }: Running, logger: PinoAppLogger): Promise<void> {
  const closed = embedded?.stop().catch((cause: unknown) => {
    logger.error('The embedded database could not be closed', { cause });
  });
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, EMBEDDED_CLOSE_MS))]);
  logger.flush();
  process.exit(1);
}
