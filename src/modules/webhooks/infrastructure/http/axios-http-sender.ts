import { AxiosHeaders, getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { BoundedCache } from '../../../../platform/kernel/bounded-cache.js';
import {
  HttpSender,
  type HttpSendRequest,
  type HttpSendResult,
} from '../../application/ports/http-sender.js';
import { ConfiguredTargetPolicy, type TargetPolicyOptions } from './configured-target-policy.js';
import { failureReasonOf } from './failure-reasons.js';
import { OriginPools } from './origin-pools.js';
import { PinnedConnector } from './pinned-connector.js';
import { requestHeaderProblem } from './request-headers.js';
import { BlockedTargetError, RequestRefusedError, WithheldError } from './send-errors.js';
import { TargetResolver } from './target-resolver.js';
import { Outgoing, undiciAxiosAdapter, type Answer } from './undici-axios-adapter.js';

/** What one receiver sees at most at a time; the same as the concurrency of one lane. */
const DEFAULT_CONNECTIONS_PER_ORIGIN = 16;

/** URLs that are remembered. */
const KNOWN_TARGETS = 10_000;

const always = (): boolean => true;

/** Those that are sent go in `data`. */
const NO_HEADERS = new AxiosHeaders();

/** A URL as it was judged, and as a request names it. */
type Target = { readonly origin: string; readonly path: string } | { readonly refused: string };

export interface HttpSenderOptions {
  readonly targets: TargetPolicyOptions;
  /** Connections to one scheme, host and port; requests beyond it wait, within their budget. Default 16. */
  readonly connectionsPerOrigin?: number;
  /** `ip` or `ip:port` of the DNS servers to ask; default: the system's. */
  readonly dnsServers?: readonly string[];
  /** A further CA (PEM) that is trusted, for tests. */
  readonly ca?: string;
}

/**
 * Sends through an adapter of axios over undici's pools. It is called as axios resolves it: on axios's own way to it, defaults are
 * merged, headers normalised and bodies transformed for each request, of which there is nothing here, nor proxies or redirects.
 *
 * A request whose bytes were handed to a socket is never sent again from here: when a kept-alive connection turns out to
 * be closed, undici opens another only if nothing was written yet. Otherwise the attempt fails and the engine decides.
 */
export class AxiosHttpSender extends HttpSender {
  readonly #policy: ConfiguredTargetPolicy;
  readonly #pools: OriginPools;
  readonly #adapter: (config: InternalAxiosRequestConfig) => Promise<AxiosResponse<Answer>>;
  readonly #targets = new BoundedCache<string, Target>(KNOWN_TARGETS);
  #inFlight = 0;
  #isClosed = false;
  #onIdle: () => void = () => {};

  /** @throws Error when an option is malformed. */
  constructor(options: HttpSenderOptions) {
    super();
    this.#policy = new ConfiguredTargetPolicy(options.targets);
    this.#pools = new OriginPools({
      connectionsPerOrigin: options.connectionsPerOrigin ?? DEFAULT_CONNECTIONS_PER_ORIGIN,
      connector: new PinnedConnector({
        resolver: new TargetResolver(this.#policy, options.dnsServers),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      }),
    });
    this.#adapter = getAdapter(undiciAxiosAdapter(this.#pools));
  }

  override async send(request: HttpSendRequest): Promise<HttpSendResult> {
    const startedAt = performance.now();
    this.#inFlight += 1;
    try {
      const { status, data } = await this.#post(request);
      return {
        kind: 'response',
        statusCode: status,
        retryAfter: retryAfterOf(data),
        responseBody: data.body,
        responseHeaders: data.headers,
        durationMs: performance.now() - startedAt,
      };
    } catch (error) {
      const durationMs = performance.now() - startedAt;
      if (error instanceof WithheldError) return { kind: 'withheld', durationMs };
      return { kind: 'failure', ...failureReasonOf(error, request.timeoutMs), durationMs };
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#onIdle();
    }
  }

  /** Refuses new requests, waits for those under way (each within its budget), then ends every connection. */
  override async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#pools.destroy();
  }

  async #post(request: HttpSendRequest): Promise<AxiosResponse<Answer>> {
    if (this.#isClosed) throw new RequestRefusedError('sender is shutting down');
    const target = this.#targetOf(request.url);
    if ('refused' in target) throw new BlockedTargetError(target.refused);
    const { headers, body, timeoutMs, mayWrite = always } = request;
    const problem = requestHeaderProblem(headers);
    if (problem !== null) throw new RequestRefusedError(problem);
    return this.#adapter({
      headers: NO_HEADERS,
      data: new Outgoing(target.origin, target.path, headers, body, timeoutMs, mayWrite),
    });
  }

  /** Judged here as well: the row may be older than the rule. Once for each text: the rule is the same while this lives. */
  #targetOf(url: string): Target {
    return this.#targets.get(url) ?? this.#targets.set(url, this.#judged(url));
  }

  #judged(url: string): Target {
    const verdict = this.#policy.check(url);
    if (!verdict.ok) return { refused: verdict.code.replace(/^ip:/, '') };
    const { origin, pathname, search } = new URL(verdict.text);
    return { origin, path: pathname + search };
  }
}

function retryAfterOf({ headers }: Answer): string | null {
  const value = headers['retry-after'];
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}
