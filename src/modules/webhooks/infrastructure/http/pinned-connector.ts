import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { dialFirst, type Opening } from './dial.js';
import { withoutInterimResponses } from './interim-responses.js';
import { BudgetExceededError, TlsHandshakeError } from './send-errors.js';
import type { TargetResolver } from './target-resolver.js';
import { tlsReasonOf } from './failure-reasons.js';

/** An answer may hold hundreds of addresses; all are checked, but only these many are dialled. */
const MAX_DIALLED_ADDRESSES = 4;
/** Lets the kernel notice a peer that vanished without a word; undici's own connector uses the same. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** What one pool tells its connections, and they it. */
export interface PoolUse {
  /** The budget of the latest request: a connection that nobody waits for any more must not keep its slot. */
  budgetMs: number;
  /** Connections that are being made. */
  readonly openings: Set<Opening>;
}

export interface PinnedConnectorOptions {
  readonly resolver: TargetResolver;
  /** A further CA (PEM) beside the well-known ones, for tests. */
  readonly ca?: string;
}

/**
 * Opens connections for undici, and only to addresses that were checked a moment before: no second resolution happens
 * between check and connect, so an answer that changes (DNS rebinding) gains nothing. TLS is verified against the name.
 *
 * A name is resolved anew for each connection, not for each request: an open socket stays with the peer that it was
 * checked for, whatever DNS says later, and ends after 4 s without use or 1,000 requests.
 */
export class PinnedConnector {
  readonly #resolver: TargetResolver;
  readonly #secureContext: SecureContext | undefined;

  constructor(options: PinnedConnectorOptions) {
    this.#resolver = options.resolver;
    // Once, because reading the 140-odd root certificates takes about 10 ms.
    this.#secureContext = options.ca
      ? createSecureContext({ ca: [...rootCertificates, options.ca] })
      : undefined;
  }

  /** The `connect` function of one undici pool. */
  forPool(use: PoolUse): buildConnector.connector {
    return (options, callback) => {
      void this.#connect(options, use).then(
        (socket) => callback(null, withoutInterimResponses(socket)),
        (error: Error) => callback(error, null),
      );
    };
  }

  async #connect(options: buildConnector.Options, { budgetMs, openings }: PoolUse): Promise<Socket> {
    const deadline = performance.now() + budgetMs;
    const isTls = options.protocol === 'https:';
    const port = Number(options.port) || (isTls ? 443 : 80);
    const addresses = await this.#resolve(options.hostname, budgetMs);
    const open = (address: string): Opening => {
      const opening = isTls ? this.#openTls(address, port, options.hostname) : openTcp(address, port);
      openings.add(opening);
      const forget = (): void => void openings.delete(opening);
      opening.ready.then(forget, forget);
      return opening;
    };
    return dialFirst(addresses.slice(0, MAX_DIALLED_ADDRESSES), open, deadline - performance.now());
  }

  async #resolve(hostname: string, budgetMs: number): Promise<readonly string[]> {
    const budget = new AbortController();
    const timer = setTimeout(() => budget.abort(), budgetMs);
    try {
      return await this.#resolver.resolve(hostname, budget.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #openTls(address: string, port: number, hostname: string): Opening {
    const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
    const socket = connectTls({
      host: address,
      port,
      // SNI must not carry an address; certificates are then checked against `host`.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ALPNProtocols: ['http/1.1'],
      // Said, not left out: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes the default, and so do Node's
      // own options with the version.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(this.#secureContext ? { secureContext: this.#secureContext } : {}),
    });
    let connected = false;
    let secured = false;
    socket.once('connect', () => (connected = true)).once('secureConnect', () => (secured = true));
    return {
      ready: settle(socket, 'secureConnect', (error) => {
        const reason = connected ? tlsReasonOf(error) : null;
        return reason === null ? error : new TlsHandshakeError(reason);
      }),
      get isHandshaking() {
        return connected && !secured;
      },
      cancel: () => void socket.destroy(),
    };
  }
}

function openTcp(address: string, port: number): Opening {
  const socket = connectTcp({ host: address, port });
  return {
    ready: settle(socket, 'connect', (error) => error),
    isHandshaking: false,
    cancel: () => void socket.destroy(),
  };
}

function settle(
  socket: Socket,
  readyEvent: 'connect' | 'secureConnect',
  explain: (error: Error) => Error,
): Promise<Socket> {
  socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return new Promise((resolve, reject) => {
    // Stays attached: without any listener, an error before undici adds its own would end the process. And TLS leaves a
    // socket open after an alert that came late; undici would then report the end that follows in place of the alert.
    socket.on('error', (error) => {
      reject(explain(error));
      socket.destroy(error);
    });
    // Without an error only when it was cancelled: nobody waits for it then, but nothing stays pending either.
    socket.once('close', () => reject(new BudgetExceededError()));
    // After what came with it: in TLS 1.3 a server refuses a missing client certificate once the client is done, and in
    // one packet with the last of the handshake that would go by unheard.
    socket.once(readyEvent, () => queueMicrotask(() => resolve(socket)));
  });
}
