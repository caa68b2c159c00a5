import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { FastifyInstance } from 'fastify';

import { DomainError } from '../kernel/domain-error.js';

/** Milliseconds that a request which is still arriving, or an answer which is still being read, gets at the end. */
const GRACE_MS = 1_000;

/** Seconds after which a refused client may try again: by then another process has taken over, or this one is back. */
const RETRY_AFTER = '2';

/** What a stopping process still answers: that it lives, and its figures. */
const ALWAYS_OPEN = new Set(['/health/live', '/metrics']);

/**
 * The way in for requests, which closes before the engine stops: from then on everything is refused with 503 at once,
 * what was taken before is still answered, and each connection ends with its answer. Connections on which nothing comes,
 * or which are never done, do not keep the process from ending.
 */
export class RequestGate {
  private closed = false;
  /** Open connections, each with the requests on it that wait for their answers. */
  private readonly connections = new Map<Socket, Set<IncomingMessage>>();

  /** Watches the connections of this server. Call it before other hooks are added. */
  constructor(private readonly fastify: FastifyInstance) {
    const { server } = fastify;
    server.on('connection', (socket: Socket) => {
      this.connections.set(socket, new Set());
      socket.once('close', () => this.connections.delete(socket));
    });
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const requests = this.connections.get(request.socket);
      requests?.add(request);
      response.once('close', () => {
        requests?.delete(request);
        if (this.closed && requests?.size === 0) request.socket.destroySoon();
      });
    });
    fastify.addHook('onRequest', (request, reply, done) => {
      if (!this.closed) {
        done();
        return;
      }
      void reply.header('Connection', 'close');
      if (ALWAYS_OPEN.has(request.url)) {
        done();
        return;
      }
      void reply.header('Retry-After', RETRY_AFTER);
      done(new DomainError('service_unavailable', 'unavailable', 'The server is stopping.'));
    });
    fastify.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.closed) void reply.header('Connection', 'close');
      done();
    });
    fastify.addHook('preClose', async () => this.end());
  }

  /** Refuses requests from now on, and ends connections that carry none. */
  close(): void {
    this.closed = true;
    this.fastify.server.closeIdleConnections();
    setTimeout(() => {
      this.destroy((requests) => ![...requests].some(({ complete }) => complete));
    }, GRACE_MS).unref();
  }

  /** Waits a moment for answers that are on their way, then ends every connection. */
  private async end(): Promise<void> {
    if (!this.closed) this.close();
    this.destroy((requests) => requests.size === 0);
    const answered = Promise.all(
      [...this.connections.keys()].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    });
    await Promise.race([answered, late]);
    clearTimeout(timer);
    this.destroy(() => true);
  }

  private destroy(which: (requests: ReadonlySet<IncomingMessage>) => boolean): void {
    for (const [socket, requests] of this.connections) if (which(requests)) socket.destroy();
  }
}
