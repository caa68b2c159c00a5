import { AppLogger, type LogFields } from '../../../platform/kernel/app-logger.js';

export interface RecordedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** Keeps the lines instead of printing them. */
export class RecordingLogger extends AppLogger {
  readonly lines: RecordedLine[] = [];

  override debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'debug', message, fields });
  }

  override info(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'info', message, fields });
  }

  override warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  override error(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'error', message, fields });
  }

  /** The messages of one level, in order. */
  messages(level: RecordedLine['level']): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}
