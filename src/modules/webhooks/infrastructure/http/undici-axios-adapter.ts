import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from '../../domain/kept-answer.js';
import type { OriginPools } from './origin-pools.js';
import { STORED_BODY_BYTES, storedBodyOf } from './response-text.js';
import { BudgetExceededError, WithheldError } from './send-errors.js';

/** A body beyond this is dropped with its connection: reading on would cost more than a new connection. */
const MAX_READ_BODY_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

/** In the data of axios's response: headers of its own it would copy one by one. */
export interface Answer {
  readonly body: string;
  readonly headers: AnswerHeaders;
}

/**
 * One POST as axios hands it through: in `data`, which it passes on as it stands when it is no plain object. Headers in its
 * own form would be merged, normalised and copied four times on their way, a tenth of what a delivery costs.
 */
export class Outgoing {
  constructor(
    readonly origin: string,
    readonly path: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: string,
    /** One total budget, in milliseconds. */
    readonly timeoutMs: number,
    /** Asked in the moment before it is written. */
    readonly mayWrite: () => boolean,
  ) {}
}

/**
 * Lets axios speak through undici's pools, with one total budget over waiting, DNS, connect, TLS, headers and body (axios's
 * own is an idle timer). Rejects with the cause alone, not with an AxiosError.
 *
 * Handlers are dispatched directly instead of `undici.request`: the status decides as soon as the headers are in,
 * whatever the body does afterwards, and no stream or AbortSignal needs to be made per request. Nothing is decompressed.
 */
export function undiciAxiosAdapter(pools: OriginPools): AxiosAdapter {
  return (config) =>
    new Promise<AxiosResponse<Answer>>((resolve, reject) => {
      const outgoing = config.data as Outgoing;
      const { origin, path, headers, body, timeoutMs } = outgoing;
      pools
        .get(origin, timeoutMs)
        .dispatch(
          { path, method: 'POST', headers: listOf(headers), body },
          new Exchange(outgoing, () => pools.phaseOf(origin), config, resolve, reject),
        );
    });
}

function listOf(headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  for (const name of Object.keys(headers)) list.push(name, headers[name] ?? '');
  return list;
}

/** One request and what comes back. Settles once, and then ends the connection unless the response was complete. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | null = null;
  #isSettled = false;
  readonly #endsAtMs: number;
  #status: number | null = null;
  #statusText = '';
  #headers: AnswerHeaders = {};
  #readBytes = 0;
  #head: Buffer = NO_BYTES;

  constructor(
    private readonly outgoing: Outgoing,
    phaseBefore: () => BudgetExceededError['phase'],
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: (response: AxiosResponse<Answer>) => void,
    private readonly reject: (error: Error) => void,
  ) {
    const { timeoutMs } = outgoing;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => {
      const phase = this.#controller === null ? phaseBefore() : null;
      this.#end(new BudgetExceededError(phase), true);
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The budget ended while this waited for a connection: nothing was written, and nothing may be. Thrown, because
    // abort() would close the connection, and each stale request in a queue would cost the next one a handshake.
    // After a process stood still its sockets come before its timers.
    if (this.#isSettled || performance.now() > this.#endsAtMs) throw new BudgetExceededError();
    if (!this.outgoing.mayWrite()) throw new WithheldError();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: AnswerHeaders,
    statusText = '',
  ): void {
    if (statusCode < 200) return;
    this.#status = statusCode;
    this.#statusText = statusText;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#readBytes < STORED_BODY_BYTES) {
      // Copied: a slice would keep the whole chunk of the socket in memory.
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, STORED_BODY_BYTES - this.#readBytes)]);
    }
    this.#readBytes += chunk.length;
    if (this.#readBytes > MAX_READ_BODY_BYTES) this.#end(null, true);
  }

  onResponseEnd(): void {
    this.#end(null, false);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#end(error, false);
  }

  /** With a status this is a response, whatever became of its body; `cause` is then only why the rest is not read. */
  #end(cause: Error | null, isConnectionOpen: boolean): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.#status === null) this.reject(cause ?? new Error('response without a status'));
    else this.resolve(this.#response(this.#status));
    // undici then opens a connection for the request that it still has in its queue, sees that it was aborted, and keeps
    // the connection for the next one: idle for 4 s at most, and nothing is written to it.
    if (isConnectionOpen) this.#controller?.abort(cause ?? new Error('response body dropped'));
  }

  #response(status: number): AxiosResponse<Answer> {
    return {
      status,
      statusText: this.#statusText,
      headers: {},
      data: {
        body: storedBodyOf(this.#head, this.#readBytes === this.#head.length),
        headers: this.#headers,
      },
      config: this.config,
    };
  }
}
