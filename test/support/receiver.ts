import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The bytes as they came, for signatures. */
  readonly rawBody: Buffer;
  /** Milliseconds since the epoch, when the body was complete. */
  readonly receivedAtMs: number;
}

/** What the receiver answers; a bare number is a status with an empty body. */
export type Reply =
  | number
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      /** Waits this long before the first byte, in milliseconds. */
      readonly delayMs?: number;
    }
  /** Never answers; the connection stays open until the client or `close()` ends it. */
  | 'hang'
  /** Cuts the connection instead of an answer (the client sees ECONNRESET). */
  | 'reset'
  /** Anything else: drip bytes, write garbage to `response.socket`, close mid-body. */
  | { readonly write: (response: ServerResponse) => void };

export type Behaviour = (request: ReceivedRequest, index: number) => Reply | Promise<Reply>;

interface CountWaiter {
  readonly count: number;
  readonly resolve: () => void;
}

/**
 * A real HTTP receiver on a free port of 127.0.0.1. It records every request, and answers 200 unless told otherwise.
 *
 * @example
 * const receiver = await Receiver.start();
 * receiver.queue(500, 503); // then 200
 * await receiver.waitForCount(3);
 */
export class Receiver {
  /** In the order in which their bodies were complete. */
  readonly requests: ReceivedRequest[] = [];
  private readonly queued: Reply[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private waiters: CountWaiter[] = [];
  private behaviour: Behaviour = () => 200;

  private constructor(private readonly server: Server) {}

  static async start(behaviour?: Behaviour): Promise<Receiver> {
    const server = createServer();
    // A hanging receiver must hang for as long as the sender lets it, not for Node's own five minutes.
    server.requestTimeout = 0;
    const receiver = new Receiver(server);
    if (behaviour) receiver.behave(behaviour);
    server.on('request', (request, response) => {
      receiver.receive(request, response).catch((error: Error) => response.destroy(error));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Answers the next requests with these, one each; after them the behaviour applies again. */
  queue(...replies: readonly Reply[]): void {
    this.queued.push(...replies);
  }

  /** Answers every request that finds the queue empty. `index` counts from 0 over the life of the receiver. */
  behave(behaviour: Behaviour | Reply): void {
    this.behaviour = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  /**
   * Resolves as soon as `count` requests have come since the start.
   *
   * @throws Error at the deadline, with the number that did come
   */
  async waitForCount(count: number, timeoutMs = 60_000): Promise<void> {
    if (this.requests.length >= count) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((waiter) => waiter.count !== count || waiter.resolve !== done);
        reject(new Error(`Receiver got ${this.requests.length} of ${count} requests within ${timeoutMs} ms`));
      }, timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.waiters.push({ count, resolve: done });
    });
  }

  /** Ends every connection, hanging and kept-alive ones included. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received: ReceivedRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      rawBody: Buffer.concat(chunks),
      receivedAtMs: Date.now(),
    };
    const index = this.requests.push(received) - 1;
    const reached = this.waiters.filter((waiter) => waiter.count <= this.requests.length);
    this.waiters = this.waiters.filter((waiter) => !reached.includes(waiter));
    for (const waiter of reached) waiter.resolve();

    this.answer(response, this.queued.shift() ?? (await this.behaviour(received, index)));
  }

  private answer(response: ServerResponse, reply: Reply): void {
    if (reply === 'hang') return;
    if (reply === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (typeof reply === 'number') {
      response.writeHead(reply).end();
      return;
    }
    if ('write' in reply) {
      reply.write(response);
      return;
    }
    const send = (): void => {
      response.writeHead(reply.status ?? 200, { ...reply.headers }).end(reply.body);
    };
    if (!reply.delayMs) return send();
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      send();
    }, reply.delayMs);
    this.timers.add(timer);
  }
}
