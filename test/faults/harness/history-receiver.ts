import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { SeenRequest } from './history.js';

/** What the receiver does with a request; a number is an empty answer with that status. */
export type Answer =
  | number
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  /** Nothing until {@link HistoryReceiver.release}. */
  | 'hold'
  /** Nothing, ever. */
  | 'hang'
  /** The head of a 200, one byte each 100 ms: slower than any budget, and never silent. */
  | 'drip'
  /** RST instead of an answer. */
  | 'reset'
  /** Bytes that are no HTTP. */
  | 'garbage'
  /** A 200 that promises more than it sends before it closes. */
  | 'close_mid_body'
  /** A 200 with a body of {@link HistoryReceiver.hugeBytes}. */
  | 'huge';

/** A request as it came. */
export interface SignedRequest {
  readonly lane: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface LaneRequest {
  /** How often this delivery was seen before: 0 at its first request. */
  readonly seenBefore: number;
  /** The first delivery in it. */
  readonly request: SeenRequest;
}

export type Behaviour = Answer | ((request: LaneRequest) => Answer);

interface Held {
  readonly lane: number;
  readonly answer: (status: number) => void;
}

const DRIP_MS = 100;
/** Ports of the receiver, which its lanes share: one origin alone is bounded by the sender's connections to it. */
const ORIGINS = 4;
const CHUNK = Buffer.alloc(64 * 1024, 'x');

/** A real receiver that keeps the history of every request, and behaves on each lane (`/lane/<n>`) as it is told. */
export class HistoryReceiver {
  readonly requests: SeenRequest[] = [];
  /** Bytes of a `huge` body. */
  hugeBytes = 8 * 1024 * 1024;
  /** Bytes of `huge` bodies that the senders took before they hung up. */
  hugeBytesTaken = 0;
  /** Says what is wrong with a request's signatures; null: nothing. */
  verify: (request: SignedRequest) => string | null = () => null;
  /** What it said. */
  readonly forged: string[] = [];
  private readonly behaviours = new Map<number, Behaviour>();
  private readonly seen = new Map<string, number>();
  private readonly open = new Map<string, number>();
  private readonly mostOpen = new Map<string, number>();
  private count = 0;
  private held: Held[] = [];
  private fallback: Behaviour = 200;

  private constructor(private readonly servers: readonly Server[]) {}

  static async start(): Promise<HistoryReceiver> {
    const servers = Array.from({ length: ORIGINS }, () => createServer());
    const receiver = new HistoryReceiver(servers);
    for (const server of servers) {
      server.requestTimeout = 0;
      server.on('request', (request, response) => {
        // A sender that dies in the middle of its body is no request at all.
        receiver.receive(request, response).catch(() => response.destroy());
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', 4_096, resolve);
      });
    }
    return receiver;
  }

  urlOf(lane: number): string {
    const address = this.servers[lane % ORIGINS]?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/lane/${lane}`;
  }

  /** What every lane does that was told nothing of its own. */
  behave(behaviour: Behaviour): void {
    this.fallback = behaviour;
  }

  behaveOn(lane: number, behaviour: Behaviour): void {
    this.behaviours.set(lane, behaviour);
  }

  heldOn(lane: number): number {
    return this.held.filter((held) => held.lane === lane).length;
  }

  get heldCount(): number {
    return this.held.length;
  }

  /** Answers what is held, on one lane or on all, and says how much that was. */
  release(status = 200, lane?: number): number {
    const released = this.held.filter((held) => lane === undefined || held.lane === lane);
    this.held = this.held.filter((held) => !released.includes(held));
    for (const held of released) held.answer(status);
    return released.length;
  }

  /** The most requests that were open at a time, by lane (`lane:3`) or by sender (`worker:w1`, `worker:w1 tenant:…`). */
  mostOpenOf(key: string): number {
    return this.mostOpen.get(key) ?? 0;
  }

  requestsTo(lane: number): SeenRequest[] {
    return this.requests.filter((request) => request.lane === lane);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.servers.map(async (server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        await closed;
      }),
    );
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const all = this.note(request, body.toString('utf8'));
    const [seen] = all;
    if (seen === undefined) return;
    const wrong = this.verify({ lane: seen.lane, headers: request.headers, body });
    if (wrong !== null) this.forged.push(`a request of event ${seen.eventNumber}: ${wrong}`);
    this.countOpen(seen, response);
    response.once('finish', () => {
      for (const one of all) {
        one.endedAtMs ??= Date.now();
        one.answeredStatus ??= seen.answeredStatus ?? response.statusCode;
      }
    });
    response.once('close', () => {
      for (const one of all) {
        one.endedAtMs ??= Date.now();
        one.answeredStatus ??= seen.answeredStatus;
      }
    });

    const seenBefore = this.seen.get(seen.webhookId) ?? 0;
    for (const { webhookId } of all) this.seen.set(webhookId, (this.seen.get(webhookId) ?? 0) + 1);
    const behaviour = this.behaviours.get(seen.lane) ?? this.fallback;
    const answer = typeof behaviour === 'function' ? behaviour({ seenBefore, request: seen }) : behaviour;
    this.answer(seen, response, answer);
  }

  /** @returns what came in it: one delivery, or those that it names */
  private note(request: IncomingMessage, body: string): SeenRequest[] {
    const header = (name: string): string => String(request.headers[name] ?? '');
    const webhookId = header('webhook-id');
    const shared = {
      lane: Number(request.url?.split('/')[2]),
      worker: header('user-agent'),
      arrivedAtMs: Date.now(),
      endedAtMs: null,
      answeredStatus: null,
    };
    this.count += 1;
    const number = this.count;
    const numbers = numbersIn(body);
    const ids = header('x-delivery-ids').split(',').filter(Boolean);
    const isBatch = ids.length > 0 || numbers.length !== 1;
    const all = isBatch
      ? // What does not fit together stays in the history as what belongs to no delivery.
        Array.from({ length: Math.max(ids.length, numbers.length, 1) }, (_unused, place): SeenRequest => {
          const id = ids[place] ?? '';
          const eventNumber = numbers[place] ?? -1;
          const deliveryIdHeader = header('x-delivery-id') === webhookId ? id : '';
          return {
            ...shared,
            webhookId: id,
            deliveryIdHeader,
            eventNumber,
            batch: { webhookId, number, place },
          };
        })
      : [{ ...shared, webhookId, deliveryIdHeader: header('x-delivery-id'), eventNumber: numbers[0] ?? -1 }];
    this.requests.push(...all);
    return all;
  }

  private countOpen(seen: SeenRequest, response: ServerResponse): void {
    const keys = [`lane:${seen.lane}`, `worker:${seen.worker}`];
    const add = (count: number): void => {
      for (const key of keys) {
        const open = (this.open.get(key) ?? 0) + count;
        this.open.set(key, open);
        if (open > this.mostOpenOf(key)) this.mostOpen.set(key, open);
      }
    };
    add(1);
    let isOpen = true;
    const ended = (): void => {
      if (isOpen) add(-1);
      isOpen = false;
    };
    response.once('finish', ended).once('close', ended);
  }

  private answer(seen: SeenRequest, response: ServerResponse, answer: Answer): void {
    if (typeof answer === 'number') response.writeHead(answer).end();
    else if (typeof answer === 'object') response.writeHead(answer.status, { ...answer.headers }).end();
    else if (answer === 'hold') this.hold(seen, response);
    else if (answer !== 'hang') this.misbehave(seen, response, answer);
  }

  private hold(seen: SeenRequest, response: ServerResponse): void {
    const held: Held = {
      lane: seen.lane,
      answer: (status) => {
        if (!response.destroyed) response.writeHead(status).end();
      },
    };
    this.held.push(held);
    response.once('close', () => {
      this.held = this.held.filter((other) => other !== held);
    });
  }

  private misbehave(
    seen: SeenRequest,
    response: ServerResponse,
    answer: 'drip' | 'reset' | 'garbage' | 'close_mid_body' | 'huge',
  ): void {
    const socket = response.socket;
    if (socket === null) return;
    switch (answer) {
      case 'reset':
        socket.resetAndDestroy();
        break;
      case 'garbage':
        socket.end('\u0000\u0001 this is no HTTP \u00ff\r\n\r\n', 'latin1');
        break;
      case 'drip':
        drip(socket);
        break;
      case 'close_mid_body':
        seen.answeredStatus = 200;
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half', () => socket.destroy());
        break;
      case 'huge':
        seen.answeredStatus = 200;
        this.pour(response);
        break;
    }
  }

  private pour(response: ServerResponse): void {
    response.writeHead(200, { 'content-length': String(this.hugeBytes) });
    let left = this.hugeBytes;
    const more = (): void => {
      while (left > 0 && !response.destroyed) {
        const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
        left -= chunk.length;
        this.hugeBytesTaken += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  }
}

function drip(socket: Socket): void {
  const head = 'HTTP/1.1 200 OK\r\nX-Slow: '.padEnd(2_000, 'x');
  let at = 0;
  const timer = setInterval(() => {
    socket.write(head.charAt(at));
    at += 1;
  }, DRIP_MS);
  socket.once('close', () => clearInterval(timer));
}

/** An event as it was emitted, or in the form of a template. */
interface SentEvent {
  readonly number?: unknown;
  readonly data?: { readonly number?: unknown };
}

/** The numbers of the events in a body that the test sent, one or several; -1 in one that a test damaged. */
function numbersIn(body: string): number[] {
  try {
    const parsed: unknown = JSON.parse(body);
    return (Array.isArray(parsed) ? parsed : [parsed]).map((event: SentEvent | null) => {
      const number = event?.number ?? event?.data?.number;
      return typeof number === 'number' ? number : -1;
    });
  } catch {
    return [-1];
  }
}
