import type { Logger } from 'typeorm';

/**
 * TypeORM writes nothing by itself: not its parameters, and no line outside the form of our log (it prints each migration
 * that failed to the console, with the message of the database). Who calls it hears of every failure and reports it.
 */
export class SilentLogger implements Logger {
  log(): void {}
  logMigration(): void {}
  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
}
