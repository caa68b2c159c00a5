import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { ChangeFeed, type SeenDelivery } from '../domain/change-feed.js';
import { TooManyStreamsError } from '../domain/errors.js';
import { SharedPlaces } from '../domain/shared-places.js';
import { DeliveryChanges } from './ports/delivery-changes.js';
import { TenantTransactions } from './ports/transaction.js';

/** Streams of one process, and those of one tenant among them. */
export const MAX_STREAMS = 500;
export const MAX_STREAMS_OF_TENANT = 20;

/** The newest and the unfinished deliveries that one look shows, each. */
const LOOK_LIMIT = 256;

/** Looks under way at once: each has a connection, which other requests want too. */
const LOOKS_AT_ONCE = 3;

/** Frames that a reader who comes back may have missed. */
const REMEMBERED = 1_000;

/** Milliseconds that a tenant is looked at after its last reader has gone: they come back, mostly. */
const LINGER_MS = 30_000;

/** What a reader gets. `resync`: it has missed more than is remembered, and should fetch anew; `gap`: one look was not enough. */
export type Frame =
  | { readonly id: string; readonly kind: 'delivery'; readonly delivery: SeenDelivery }
  | { readonly id: string; readonly kind: 'gap' | 'resync' };

/** Whoever reads a stream. */
export interface StreamReader {
  readonly tell: (frame: Frame) => void;
  /** The process stops; nothing follows. */
  readonly stop: () => void;
}

interface TenantStream {
  readonly name: string;
  readonly feed: ChangeFeed;
  readonly readers: Set<StreamReader>;
  /** The last of them. */
  frames: Frame[];
  count: number;
  leftAtMs: number;
}

/**
 * Tells the readers of each tenant what changes of its deliveries. However many readers a tenant has, it is looked at once;
 * without readers nothing is.
 */
@Injectable()
export class DeliveryStream {
  private readonly tenants = new Map<string, TenantStream>();
  private readonly failing = new Set<string>();
  /** Of streams, those that are being opened included. */
  private readonly places = new SharedPlaces(MAX_STREAMS, MAX_STREAMS_OF_TENANT);
  private stopped = false;

  constructor(
    private readonly transactions: TenantTransactions,
    private readonly changes: DeliveryChanges,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /**
   * @param lastId of the last frame that the reader got, on an earlier stream
   * @returns leaves the stream
   * @throws TooManyStreamsError; what the database throws, before the reader was told anything
   */
  async join(tenantId: string, lastId: string | null, reader: StreamReader): Promise<() => void> {
    const leave = this.stopped ? null : this.places.take(tenantId);
    if (leave === null) throw new TooManyStreamsError();
    try {
      const stream = this.tenants.get(tenantId) ?? (await this.open(tenantId));
      stream.readers.add(reader);
      // The process was told to stop while it was opened.
      if (this.stopped) reader.stop();
      if (lastId !== null) this.resume(stream, lastId, reader);
      return () => {
        if (!stream.readers.delete(reader)) return;
        leave();
        stream.leftAtMs = this.clock.monotonicMs();
      };
    } catch (cause) {
      leave();
      throw cause;
    }
  }

  /** Looks at every tenant that is read, a few at a time. Never rejects. */
  async poll(): Promise<void> {
    const tenants = [...this.tenants];
    for (let n = 0; n < tenants.length && !this.stopped; n += LOOKS_AT_ONCE) {
      const some = tenants.slice(n, n + LOOKS_AT_ONCE);
      await Promise.all(some.map(([tenantId, stream]) => this.pollOne(tenantId, stream)));
    }
  }

  /** Ends every stream; no other begins. */
  stop(): void {
    this.stopped = true;
    for (const { readers } of this.tenants.values()) for (const reader of readers) reader.stop();
    this.tenants.clear();
  }

  private async pollOne(tenantId: string, stream: TenantStream): Promise<void> {
    const isLeft = stream.readers.size === 0;
    if (isLeft && this.clock.monotonicMs() - stream.leftAtMs > LINGER_MS) {
      this.tenants.delete(tenantId);
      this.failing.delete(tenantId);
      return;
    }
    try {
      await this.look(tenantId, stream);
      this.failing.delete(tenantId);
    } catch (cause) {
      if (!this.failing.has(tenantId)) {
        this.logger.warn('A stream waits: the database does not answer', { tenantId, cause });
      }
      this.failing.add(tenantId);
    }
  }

  private async open(tenantId: string): Promise<TenantStream> {
    const stream: TenantStream = {
      ...{
        name: this.ids.next().slice(-12),
        feed: new ChangeFeed(LOOK_LIMIT),
        readers: new Set(),
        frames: [],
        count: 0,
      },
      leftAtMs: this.clock.monotonicMs(),
    };
    await this.look(tenantId, stream);
    // Another reader may have opened it meanwhile.
    const opened = this.tenants.get(tenantId) ?? stream;
    this.tenants.set(tenantId, opened);
    return opened;
  }

  private async look(tenantId: string, stream: TenantStream): Promise<void> {
    const { feed } = stream;
    const look = await this.transactions.run(tenantId, (transaction) =>
      this.changes.look(transaction, feed.watched, LOOK_LIMIT),
    );
    const { changed, isGap } = feed.take(look);
    if (isGap) this.add(stream, { id: this.nextId(stream), kind: 'gap' });
    for (const delivery of changed) this.add(stream, { id: this.nextId(stream), kind: 'delivery', delivery });
  }

  private add(stream: TenantStream, frame: Frame): void {
    stream.frames.push(frame);
    if (stream.frames.length > REMEMBERED) stream.frames.shift();
    for (const reader of stream.readers) reader.tell(frame);
  }

  private nextId(stream: TenantStream): string {
    stream.count += 1;
    return `${stream.name}-${stream.count}`;
  }

  private resume(stream: TenantStream, lastId: string, reader: StreamReader): void {
    if (lastId === `${stream.name}-${stream.count}`) return;
    const at = stream.frames.findIndex(({ id }) => id === lastId);
    if (at === -1) reader.tell({ id: `${stream.name}-${stream.count}`, kind: 'resync' });
    else for (const frame of stream.frames.slice(at + 1)) reader.tell(frame);
  }
}
