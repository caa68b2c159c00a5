import { pino, type Logger, type LoggerOptions } from 'pino';

import { AppLogger, type LogFields } from '../kernel/app-logger.js';
import { withoutCredentials } from '../kernel/without-credentials.js';
import { loggedError } from './logged-error.js';

export interface PinoOptions {
  readonly level: string;
  /** Readable lines for people instead of JSON. */
  readonly pretty: boolean;
}

/** Bytes of log lines that wait for a write at most, and milliseconds that they wait. */
const BUFFER_BYTES = 8_192;
const FLUSH_MS = 100;

/** Pino's `isoTime`, which would write out the date for each of thousands of lines in a second. */
function isoTime(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1_000);
  if (second !== written.second) {
    written = { second, text: `,"time":"${new Date(second * 1_000).toISOString().slice(0, -4)}` };
  }
  return `${written.text}${String(nowMs % 1_000).padStart(3, '0')}Z"`;
}

let written = { second: NaN, text: '' };

/** JSON lines on standard output (pino), or readable ones on a terminal. */
export class PinoAppLogger extends AppLogger {
  readonly pino: Logger;
  private readonly destination: ReturnType<typeof pino.destination> | null;

  constructor({ level, pretty }: PinoOptions) {
    super();
    // One write for many lines: each delivery makes two, and a system call for each is a tenth of its cost. Pino writes
    // the rest when the process ends, also by an uncaught error.
    this.destination = pretty
      ? null
      : pino.destination({ dest: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS });
    const options: LoggerOptions = {
      level,
      base: null,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { cause: loggedError, err: loggedError, error: loggedError, reason: shownReason },
      redact: ['authorization', 'secret', 'signature', 'headers.authorization', 'payload'],
      ...(pretty
        ? {
            transport: {
              target: 'pino-pretty',
              options: { translateTime: 'SYS:HH:MM:ss.l', singleLine: true },
            },
          }
        : {}),
    };
    this.pino = this.destination === null ? pino(options) : pino(options, this.destination);
  }

  /** Writes what is buffered: before something else is written to standard output. */
  flush(): void {
    this.destination?.flushSync();
  }

  override debug(message: string, fields?: LogFields): void {
    this.pino.debug(fields ?? {}, withoutCredentials(message));
  }

  override info(message: string, fields?: LogFields): void {
    this.pino.info(fields ?? {}, withoutCredentials(message));
  }

  override warn(message: string, fields?: LogFields): void {
    this.pino.warn(fields ?? {}, withoutCredentials(message));
  }

  override error(message: string, fields?: LogFields): void {
    this.pino.error(fields ?? {}, withoutCredentials(message));
  }
}

function shownReason(reason: unknown): unknown {
  return typeof reason === 'string' ? withoutCredentials(reason) : reason;
}
