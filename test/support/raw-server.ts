import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** One request as it came over the wire. */
export interface RawRequest {
  readonly path: string;
  /** Lines of the head after the request line, as they were sent. */
  readonly headerLines: readonly string[];
  readonly body: Buffer;
  readonly socket: Socket;
  /** 1 for the first request on its connection, 2 for the next one. */
  readonly turn: number;
}

/** What a server does with a request: writes to `request.socket`, ends it, resets it, or nothing at all. */
export type Behaviour = (request: RawRequest) => void;

/**
 * A server that may break HTTP in every way: it parses requests (Content-Length only) and leaves the answer to its
 * behaviour. Without a certificate plain TCP, with one TLS.
 */
export class RawServer {
  readonly requests: RawRequest[] = [];
  connections = 0;
  readonly #open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly behaviour: Behaviour,
  ) {
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket)).on('error', () => {});
    });
  }

  static async start(
    behaviour: Behaviour,
    { host = '127.0.0.1', port = 0, tls }: { host?: string; port?: number; tls?: TlsOptions } = {},
  ): Promise<RawServer> {
    const server: Server = tls ? createTlsServer(tls) : createServer();
    const raw = new RawServer(server, behaviour);
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => raw.#serve(socket));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return raw;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is not listening');
    return address.port;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Answers the first bytes of every connection, whatever they are. */
  onFirstBytes(reply: (socket: Socket) => void): void {
    this.server.on('connection', (socket: Socket) => socket.once('data', () => reply(socket)));
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    let pending = Buffer.alloc(0);
    let turn = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      const headEnd = pending.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const [requestLine = '', ...headerLines] = pending.toString('latin1', 0, headEnd).split('\r\n');
      const length = Number(/^content-length: (\d+)$/im.exec(headerLines.join('\n'))?.[1] ?? 0);
      const bodyStart = headEnd + 4;
      if (pending.length < bodyStart + length) return;
      const body = pending.subarray(bodyStart, bodyStart + length);
      pending = pending.subarray(bodyStart + length);
      turn += 1;
      const request: RawRequest = { path: requestLine.split(' ')[1] ?? '', headerLines, body, socket, turn };
      this.requests.push(request);
      this.behaviour(request);
    });
  }
}

/** A complete HTTP answer on a connection that stays open. */
export function answer(
  status: number,
  body: string | Buffer = '',
  headers: readonly string[] = [],
): Behaviour {
  const bytes = Buffer.from(body);
  const head = [`HTTP/1.1 ${status} Some text`, `Content-Length: ${bytes.length}`, ...headers, '', ''].join(
    '\r\n',
  );
  return ({ socket }) => socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
}
