import { Injectable, type OnModuleInit } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { pathText, type FieldProblem } from '../../../platform/kernel/field-problem.js';
import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import { DeliverySettings } from './delivery-settings.js';
import { SchemaValidator } from './ports/schema-validator.js';

/** Milliseconds between two lines about one event type: a module that emits the wrong thing does so all the time. */
const WARN_EVERY_MS = 60_000;

/** Problems that one line, or one error, names. */
const MAX_NAMED = 5;

/** Characters of a problem: names in it are those of the payload. */
const MAX_NAME = 200;

const NONE: readonly FieldProblem[] = [];

interface Warned {
  readonly atMs: number;
  since: number;
}

/**
 * Holds what is emitted against the catalogue, where that is wanted: `warn` says so in the log and lets it pass, `reject`
 * refuses it. Types that nobody registered are not looked at. What cannot be judged passes: an event too many is seen, one
 * that is missing is not.
 */
@Injectable()
export class CheckPayload implements OnModuleInit {
  private readonly warned = new Map<string, Warned>();

  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly validator: SchemaValidator,
    private readonly settings: DeliverySettings,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /** @throws EventTypeError: the service does not start with a schema that cannot be used */
  async onModuleInit(): Promise<void> {
    if (this.settings.eventValidation !== 'off') await this.validator.prepare(this.catalogue.all());
  }

  /**
   * @param payload JSON text of an object
   * @returns the problems for which the event is to be refused; none unless that is wanted
   */
  execute(event: string, payload: string): readonly FieldProblem[] {
    const { eventValidation } = this.settings;
    if (eventValidation === 'off' || !this.catalogue.has(event)) return NONE;
    const problems = this.problemsOf(event, payload);
    if (problems.length === 0 || eventValidation === 'reject') return problems;
    this.warn(event, `Webhook event does not fit its schema: ${event} (${problemText(problems)})`);
    return NONE;
  }

  private problemsOf(event: string, payload: string): readonly FieldProblem[] {
    try {
      return this.validator.problems(event, payload);
    } catch (cause) {
      this.warn(event, `Webhook event could not be held against its schema: ${event}`, { cause });
      return NONE;
    }
  }

  private warn(event: string, text: string, context: Readonly<Record<string, unknown>> = {}): void {
    const nowMs = this.clock.monotonicMs();
    const before = this.warned.get(event);
    if (before !== undefined && nowMs - before.atMs < WARN_EVERY_MS) {
      before.since += 1;
      return;
    }
    this.warned.set(event, { atMs: nowMs, since: 0 });
    this.logger.warn(text, { ...context, othersSinceTheLast: before?.since ?? 0 });
  }
}

/** `data.total_cents must be integer; …` */
export function problemText(problems: readonly FieldProblem[]): string {
  const named = problems.slice(0, MAX_NAMED).map(({ path, msg }) => {
    const text = `${pathText(path) || 'the payload'} ${msg}`;
    return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text;
  });
  const more = problems.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
