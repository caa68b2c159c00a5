import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { BudgetExceededError, TlsHandshakeError } from './send-errors.js';
import type { TargetResolver } from './target-resolver.js';
import { tlsReasonOf } from './failure-reasons.js';

/** An answer may hold hundreds of addresses; all are checked, but only these many are dialled. */
const MAX_DIALLED_ADDRESSES = 4;
/** Lets the kernel notice a peer that vanished without a word; undici's own connector uses the same. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Timers fire up to this early or late beside the clock; within it, a budget counts as used up. */
const TIMER_SLACK_MS = 5;

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
 * checked for, whatever DNS says later, and ends after 10 s without use or 1,000 requests.
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

  /**
   * The `connect` function of one undici pool. `budgetMs` is asked at each connection: the budget of the latest request,
   * so that a connection that nobody waits for any more does not keep its slot.
   */
  forPool(budgetMs: () => number): buildConnector.connector {
    return (options, callback) => {
      void this.#connect(options, budgetMs()).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    };
  }

  async #connect(options: buildConnector.Options, budgetMs: number): Promise<Socket> {
    const deadline = performance.now() + budgetMs;
    const isTls = options.protocol === 'https:';
    const port = Number(options.port) || (isTls ? 443 : 80);
    const addresses = await this.#resolve(options.hostname, budgetMs);
    const dialled = addresses.slice(0, MAX_DIALLED_ADDRESSES);
    let failure: Error | null = null;
    for (const [index, address] of dialled.entries()) {
      // Each address gets its share of what is left, so that one that swallows packets does not use it all up.
      const shareMs = (deadline - performance.now()) / (dialled.length - index);
      try {
        return await (isTls
          ? this.#openTls(address, port, options.hostname, shareMs)
          : openTcp(address, port, shareMs));
      } catch (error) {
        if (error instanceof TlsHandshakeError) throw error;
        // The first says most: after it come IPv6 addresses that half of all hosts cannot reach anyway.
        failure ??= error as Error;
      }
    }
    throw performance.now() + TIMER_SLACK_MS < deadline && failure ? failure : new BudgetExceededError();
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

  #openTls(address: string, port: number, hostname: string, timeoutMs: number): Promise<Socket> {
    const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
    const socket = connectTls({
      host: address,
      port,
      // SNI must not carry an address; certificates are then checked against `host`.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ALPNProtocols: ['http/1.1'],
      ...(this.#secureContext ? { secureContext: this.#secureContext } : {}),
    });
    let connected = false;
    socket.once('connect', () => (connected = true));
    return settle(socket, 'secureConnect', timeoutMs, (error) => {
      const reason = connected ? tlsReasonOf(error) : null;
      return reason === null ? error : new TlsHandshakeError(reason);
    });
  }
}

function openTcp(address: string, port: number, timeoutMs: number): Promise<Socket> {
  return settle(connectTcp({ host: address, port }), 'connect', timeoutMs, (error) => error);
}

function settle(
  socket: Socket,
  readyEvent: 'connect' | 'secureConnect',
  timeoutMs: number,
  explain: (error: Error) => Error,
): Promise<Socket> {
  socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      socket.destroy(Object.assign(new Error('connection timed out'), { code: 'ETIMEDOUT' }));
    };
    const timer = setTimeout(giveUp, Math.max(timeoutMs, 0));
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(explain(error));
    };
    // Stays attached: without any listener, an error before undici adds its own would end the process.
    socket.once('error', onError);
    socket.once(readyEvent, () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
