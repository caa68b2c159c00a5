import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { BoundedCache } from '../../../../platform/kernel/bounded-cache.js';
import { PayloadFilter, payloadOf } from '../../domain/payload-filter/payload-filter.js';

/** A filter that listens to an event, as the database answers it. */
export interface ListeningFilter {
  readonly subscriptionId: string;
  /** By which the database knows the filter again. */
  readonly key: string;
  readonly text: string;
}

/** What of an event filters are asked about. */
export interface JudgedEvent {
  readonly tenantId: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
}

/** By subscription: `+` (it gets the event) or `-`, and the key of the filter that was judged. */
export type Judgements = Readonly<Record<string, string>>;

/** The answer to an event when of some of these filters, which listen to it, there was no judgement: nothing was stored. */
export interface Undecided {
  readonly kind: 'undecided';
  readonly filters: readonly ListeningFilter[];
}

/** Statements for one event that may end undecided: it takes a filter that is new to us, or changed, each time. */
const MOST_UNDECIDED = 3;

/** What has no judgement passes then. */
const OPEN: Judgements = { '*': '+' };

/** Events whose filters are remembered, and filters that are kept ready. */
const MAX_EVENTS = 2_000;
const MAX_FILTERS = 2_000;

/** Judgements by what is remembered of an event; then it is asked for again, so that filters that have gone are forgotten. */
const MAX_USES = 1_000;

/** Milliseconds of judging before others of this process get a turn. */
const TURN_MS = 10;

interface Remembered {
  readonly filters: readonly Omit<ListeningFilter, 'text'>[];
  uses: number;
}

/**
 * The filters that this process met, so that judgements come along with an event and storing it stays one statement. A hint:
 * the database alone knows which filters there are, and asks for those that have no judgement.
 */
@Injectable()
export class KnownFilters {
  private readonly events = new BoundedCache<string, Remembered>(MAX_EVENTS);
  private readonly ready = new BoundedCache<string, PayloadFilter>(MAX_FILTERS);
  private readonly warned = new BoundedCache<string, true>(MAX_FILTERS);

  constructor(private readonly logger: AppLogger) {}

  /**
   * Stores an event with judgements of its filters, again while the database has filters that were not judged.
   *
   * @param store must not answer undecided any more when everything without a judgement passes
   */
  async decide<Result extends { readonly kind: string }>(
    event: JudgedEvent,
    store: (judgements: Judgements | null) => Promise<Result | Undecided>,
  ): Promise<Result> {
    const remembered = this.judge(event);
    let answer = await store(remembered === null ? null : await remembered);
    for (let undecided = 1; isUndecided(answer); undecided += 1) {
      if (undecided > MOST_UNDECIDED) throw new Error('the fan-out of an event stays undecided');
      const judgements = await this.learn(event, answer.filters);
      answer = await store(undecided < MOST_UNDECIDED ? judgements : { ...judgements, ...OPEN });
    }
    return answer;
  }

  /** By the filters that are remembered of it; null when there are none, as for most events: no time is spent then. */
  private judge(event: JudgedEvent): Promise<Judgements> | null {
    const remembered = this.events.get(keyOf(event));
    if (remembered === undefined || remembered.uses >= MAX_USES) return null;
    remembered.uses += 1;
    return this.judgeBy(event, remembered.filters);
  }

  /** By all filters that listen to it now, which are remembered. */
  private async learn(event: JudgedEvent, filters: readonly ListeningFilter[]): Promise<Judgements> {
    this.events.set(keyOf(event), {
      filters: filters.map(({ subscriptionId, key }) => ({ subscriptionId, key })),
      uses: 0,
    });
    return this.judgeBy(event, filters);
  }

  private async judgeBy(
    event: JudgedEvent,
    filters: readonly (Omit<ListeningFilter, 'text'> & { readonly text?: string })[],
  ): Promise<Judgements> {
    const payload = payloadOf(event.payload);
    const judgements: [string, string][] = [];
    let turn = performance.now();
    for (const { subscriptionId, key, text } of filters) {
      if (performance.now() - turn > TURN_MS) {
        await othersTurn();
        turn = performance.now();
      }
      const name = `${subscriptionId} ${key}`;
      const filter =
        this.ready.get(name) ?? (text === undefined ? null : this.ready.set(name, new PayloadFilter(text)));
      if (filter === null) continue;
      const verdict = filter.judge(payload);
      if (verdict === 'unevaluated') this.warn(name, filter, event);
      judgements.push([subscriptionId, `${verdict === 'differs' ? '-' : '+'}${key}`]);
    }
    return Object.fromEntries(judgements);
  }

  /** Once for a filter: its tenant's events may be many. */
  private warn(name: string, { isReadable }: PayloadFilter, { tenantId, event }: JudgedEvent): void {
    if (this.warned.get(name) === true) return;
    this.warned.set(name, true);
    const [subscriptionId] = name.split(' ');
    const why = isReadable ? 'too many steps' : 'it cannot be read';
    this.logger.warn(`Webhook filter not evaluated, its event is sent: ${subscriptionId} (${why})`, {
      ...{ tenantId, event },
    });
  }
}

function isUndecided(answer: { readonly kind: string } | Undecided): answer is Undecided {
  return answer.kind === 'undecided';
}

async function othersTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Neither part can contain a space. */
function keyOf({ tenantId, event }: JudgedEvent): string {
  return `${tenantId} ${event}`;
}
