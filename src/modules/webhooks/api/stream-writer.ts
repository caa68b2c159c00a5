import { PassThrough, type Readable } from 'node:stream';

import type { Frame, StreamReader } from '../application/delivery-stream.js';

/** Bytes that may wait for a reader who is slow; what comes beyond is dropped, and it is told how much that was. */
const MAX_WAITING_BYTES = 65_536;

/** Milliseconds in which a reader should come back. */
const RETRY_MS = 2_000;

/** Writes frames as server-sent events. */
export class StreamWriter implements StreamReader {
  private readonly out = new PassThrough({ highWaterMark: MAX_WAITING_BYTES });
  private dropped = 0;

  constructor() {
    this.out.write(`retry: ${RETRY_MS}\nevent: ready\ndata: {}\n\n`);
  }

  get readable(): Readable {
    return this.out;
  }

  readonly tell = (frame: Frame): void => {
    if (this.isFull) {
      this.dropped += 1;
      return;
    }
    if (this.dropped > 0) this.write(frame.id, 'gap', { dropped: this.dropped });
    this.dropped = 0;
    if (frame.kind !== 'delivery') {
      this.write(frame.id, frame.kind, {});
      return;
    }
    const { id, subscriptionId, event, status, attempts, version } = frame.delivery;
    this.write(frame.id, 'delivery', {
      id,
      subscription_id: subscriptionId,
      event,
      status,
      attempts,
      version,
    });
  };

  /** That it is still there. */
  beat(): void {
    if (!this.isFull) this.out.write(': \n\n');
  }

  readonly stop = (): void => {
    this.end('stopping');
  };

  /** @param reason why nothing follows */
  end(reason: 'stopping' | 'token' | 'max_seconds'): void {
    if (this.out.writableEnded) return;
    this.out.end(`event: bye\ndata: ${JSON.stringify({ reason })}\n\n`);
  }

  private get isFull(): boolean {
    return this.out.writableEnded || this.out.writableLength + this.out.readableLength > MAX_WAITING_BYTES;
  }

  private write(id: string, event: string, data: object): void {
    this.out.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
