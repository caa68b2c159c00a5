/** The database cannot be used as it is; the message says what to do, so no stack is needed. */
export class DatabaseNotReadyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DatabaseNotReadyError';
  }
}

/** The data directory is in use by another process, which would corrupt it. */
export class EmbeddedDatabaseBusyError extends Error {
  constructor(dataDir: string, pid: number) {
    super(
      `The embedded database in ${dataDir} is in use by process ${pid}. Stop that one first, give this one a folder of its own with DATA_DIR, or set DATABASE_URL to a PostgreSQL server.`,
    );
    this.name = 'EmbeddedDatabaseBusyError';
  }
}
