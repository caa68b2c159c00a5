import type { DeliveryStatus } from './delivery.js';

/** A delivery as it was seen, without its payload. */
export interface SeenDelivery {
  readonly id: string;
  readonly subscriptionId: string;
  readonly event: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  /** Grows with every change of the delivery. */
  readonly version: number;
}

/** What one look found. */
export interface Look {
  /** Newest first, up to the limit. */
  readonly newest: readonly SeenDelivery[];
  /** Others that are not finished, or were not when they were last seen. */
  readonly others: readonly SeenDelivery[];
}

export interface Changes {
  /** Oldest first. */
  readonly changed: readonly SeenDelivery[];
  /** More came between two looks than one look shows: some changes are not among these. */
  readonly isGap: boolean;
}

const NONE: Changes = { changed: [], isGap: false };

/**
 * Finds what has changed between two looks at a tenant's deliveries. It remembers what the last look showed and nothing
 * else: a change may be told twice, and of two the higher version counts.
 */
export class ChangeFeed {
  private versions: ReadonlyMap<string, number> | null = null;
  private newestId = '';

  constructor(private readonly limit: number) {}

  /** Deliveries that were not finished when they were last seen: to be looked at again wherever they are now. */
  private unfinished: readonly string[] = [];

  get watched(): readonly string[] {
    return this.unfinished;
  }

  take({ newest, others }: Look): Changes {
    const seen = new Map([...others, ...newest].map((delivery) => [delivery.id, delivery]));
    const before = this.versions;
    const newestBefore = this.newestId;
    this.versions = new Map([...seen.values()].map(({ id, version }) => [id, version]));
    this.newestId = newest[0]?.id ?? newestBefore;
    this.unfinished = [...seen.values()]
      .filter(({ status }) => status === 'PENDING' || status === 'SENDING')
      .map(({ id }) => id)
      .slice(-2 * this.limit);
    // The first look is what a reader has just fetched as well.
    if (before === null) return NONE;
    const changed = [...seen.values()]
      .filter(({ id, version }) => before.get(id) !== version)
      .sort((a, b) => a.version - b.version);
    const oldestOfNewest = newest.at(-1)?.id;
    const isFull = newest.length >= this.limit && newestBefore !== '';
    return { changed, isGap: isFull && oldestOfNewest !== undefined && oldestOfNewest > newestBefore };
  }
}
