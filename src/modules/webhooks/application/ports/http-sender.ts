import type { ErrorClass } from '../../domain/attempt.js';
import type { AnswerHeaders } from '../../domain/kept-answer.js';

/** One POST. `headers` are complete; `body` is sent byte for byte. */
export interface HttpSendRequest {
  /** The endpoint that asked for it: connections are not shared between targets that differ in address. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Total budget in milliseconds: DNS, connect, TLS, headers and body together. */
  readonly timeoutMs: number;
  /** Asked when the connection stands, in the moment before the first byte is written; false: nothing is. */
  readonly mayWrite?: () => boolean;
}

/**
 * What came of it. A response of any status is a `response`; `withheld` is what was not to be written when it could have been;
 * everything else is a `failure` with its cause.
 */
export type HttpSendResult =
  | {
      readonly kind: 'response';
      readonly statusCode: number;
      /** The raw `Retry-After` header, when there was one. */
      readonly retryAfter: string | null;
      /** At most the first 4 KiB of the body as text: NUL-free, invalid UTF-8 replaced. */
      readonly responseBody: string;
      readonly responseHeaders: AnswerHeaders;
      readonly durationMs: number;
    }
  | { readonly kind: 'withheld'; readonly durationMs: number }
  | {
      readonly kind: 'failure';
      readonly errorClass: Exclude<ErrorClass, 'http_3xx' | 'http_4xx' | 'http_5xx'>;
      /** The text of `last_error`: `Request timeout (10s)`, `Connection error: …` or `Blocked target: <class>`. */
      readonly error: string;
      readonly durationMs: number;
    };

/**
 * Sends one signed request to a tenant's endpoint. Belongs here: target checks at connect time, the time budget,
 * truncation. Must not come in: retries, signing, anything of the database. Never throws for what a receiver does.
 */
export abstract class HttpSender {
  abstract send(request: HttpSendRequest): Promise<HttpSendResult>;
  /** Closes kept-alive connections. */
  abstract close(): Promise<void>;
}
