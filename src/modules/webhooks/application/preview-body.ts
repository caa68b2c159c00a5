import { Injectable } from '@nestjs/common';

import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { WebhookError } from '../domain/errors.js';
import { parseEventName } from '../domain/event-name.js';
import { PayloadFilter, payloadOf } from '../domain/payload-filter/payload-filter.js';
import type { TemplateInput } from '../domain/preset-body.js';
import { roundedNumbers } from '../domain/rounded-numbers.js';
import type { Template } from '../domain/template.js';
import { EventRepository } from './ports/event-repository.js';
import { RenderBody, type Rendered } from './render-body.js';
import { filterProblem } from './subscription-rules.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';

export interface PreviewCommand {
  readonly tenantId: string;
  readonly template: Template;
  /** JSON text; null: none. */
  readonly filter?: string | null | undefined;
  /** The name of the given payload's event, or of the recent one that is wanted. */
  readonly event?: string | undefined;
  /** JSON text; without one a stored event is taken. */
  readonly payload?: string | undefined;
  /** A stored event; without one the most recent. */
  readonly eventId?: string | undefined;
}

export interface Preview {
  readonly input: TemplateInput;
  readonly rendered: Rendered;
  /** Whether a subscription with the filter gets the event. */
  readonly matches: boolean;
  /** What is not as somebody may expect. */
  readonly warnings: readonly string[];
}

/** Numbers that are warned of. */
const MAX_WARNINGS = 10;

/** The name of an event that is given without one. */
const NAMELESS = 'test';

/** Shows whether a filter lets an event through and what a template makes of it, without sending or storing anything. */
@Injectable()
export class PreviewBody {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly events: EventRepository,
    private readonly bodies: RenderBody,
    private readonly ids: IdGenerator,
  ) {}

  /** @throws InvalidInputError; WebhookError `event_not_found` or `payload_expired`. */
  async execute(command: PreviewCommand): Promise<Preview> {
    const problems = filterProblem(command.filter);
    if (problems.length > 0) throw new InvalidInputError(problems);
    const input =
      command.payload === undefined ? await this.stored(command) : this.given(command, command.payload);
    const rendered = await this.bodies.execute(command.template, input);
    const { matches, notes } = judged(command.filter ?? null, input.payload);
    const rounded =
      typeof command.template === 'string'
        ? []
        : roundedNumbers(input.payload, MAX_WARNINGS).map(
            (number) => `JSONata reads the number ${number.slice(0, 100)} as ${Number(number)}`,
          );
    return { input, rendered, matches, warnings: [...notes, ...rounded] };
  }

  private given({ tenantId, event = NAMELESS }: PreviewCommand, payload: string): TemplateInput {
    return { tenantId, eventId: this.ids.next(), event: nameOf(event), payload };
  }

  private async stored({ tenantId, event, eventId }: PreviewCommand): Promise<TemplateInput> {
    const name = event === undefined ? undefined : nameOf(event);
    const found = await this.transactions.run(tenantId, async (transaction) => {
      const id = eventId ?? (await this.latest(transaction, name));
      return id === null ? null : this.events.findDetail(transaction, id);
    });
    if (found === null) throw new WebhookError('event_not_found');
    if (found.payload === null) throw new WebhookError('payload_expired');
    return { tenantId, eventId: found.id, event: found.event, payload: found.payload };
  }

  private async latest(transaction: Transaction, event: string | undefined): Promise<string | null> {
    const { events } = await this.events.list(transaction, { event }, 1, null);
    return events[0]?.id ?? null;
  }
}

function judged(text: string | null, body: string): { readonly matches: boolean; readonly notes: string[] } {
  if (text === null) return { matches: true, notes: [] };
  const [filter, payload] = [new PayloadFilter(text), payloadOf(body)];
  const verdict = filter.judge(payload);
  return {
    matches: verdict !== 'differs',
    notes:
      verdict === 'unevaluated'
        ? ['The filter looks at too many values of this payload: such an event is sent']
        : filter.notes(payload),
  };
}

/** @throws InvalidInputError */
function nameOf(event: string): string {
  const parsed = parseEventName(event);
  if (!parsed.ok) throw InvalidInputError.ofField('event', parsed.message);
  return parsed.name;
}
