/** Facts beside a log line; `cause` may be an Error. Never a secret, a signature, a payload or a query string. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the application writes what happened. */
export abstract class AppLogger {
  abstract debug(message: string, fields?: LogFields): void;
  abstract info(message: string, fields?: LogFields): void;
  abstract warn(message: string, fields?: LogFields): void;
  abstract error(message: string, fields?: LogFields): void;
}
