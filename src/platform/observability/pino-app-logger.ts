import { pino, type Logger } from 'pino';

import { AppLogger, type LogFields } from '../kernel/app-logger.js';

export interface PinoOptions {
  readonly level: string;
  /** Readable lines for people instead of JSON. */
  readonly pretty: boolean;
}

/** JSON lines on standard output (pino), or readable ones on a terminal. */
export class PinoAppLogger extends AppLogger {
  readonly pino: Logger;

  constructor({ level, pretty }: PinoOptions) {
    super();
    this.pino = pino({
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { cause: pino.stdSerializers.err },
      redact: ['authorization', 'secret', 'signature', 'headers.authorization', 'payload'],
      ...(pretty
        ? {
            transport: {
              target: 'pino-pretty',
              options: { translateTime: 'SYS:HH:MM:ss.l', singleLine: true },
            },
          }
        : {}),
    });
  }

  override debug(message: string, fields?: LogFields): void {
    this.pino.debug(fields ?? {}, message);
  }

  override info(message: string, fields?: LogFields): void {
    this.pino.info(fields ?? {}, message);
  }

  override warn(message: string, fields?: LogFields): void {
    this.pino.warn(fields ?? {}, message);
  }

  override error(message: string, fields?: LogFields): void {
    this.pino.error(fields ?? {}, message);
  }
}
