import { HttpSender, type HttpSendRequest, type HttpSendResult } from '../application/ports/http-sender.js';

/** As much of a response body as a sender keeps, in bytes. */
const KEPT_BYTES = 4_096;

/** What the endpoint does; a bare number is a status with an empty body. */
export type FakeAnswer =
  | number
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | 'hang'
  | 'refuse'
  | 'reset';

/** Sends nothing: it keeps the requests and answers as it was told, 200 when it was not. */
export class FakeHttpSender extends HttpSender {
  readonly requests: HttpSendRequest[] = [];
  closed = false;
  private readonly queued: FakeAnswer[] = [];
  private readonly blocked = new Map<string, string>();
  private gate: Promise<void> = Promise.resolve();

  /** What the next requests get, one each. */
  queue(...answers: readonly FakeAnswer[]): void {
    this.queued.push(...answers);
  }

  /** Refuses a target before anything is sent to it. */
  block(url: string, addressClass: string): void {
    this.blocked.set(url, addressClass);
  }

  /** Keeps answers back until the returned function is called. */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      open();
    };
  }

  override async send(request: HttpSendRequest): Promise<HttpSendResult> {
    const addressClass = this.blocked.get(request.url);
    if (addressClass !== undefined) {
      return {
        kind: 'failure',
        errorClass: 'blocked',
        error: `Blocked target: ${addressClass}`,
        durationMs: 0,
      };
    }
    if (request.mayWrite?.() === false) return { kind: 'withheld', durationMs: 0 };
    this.requests.push(request);
    await this.gate;
    return this.answer(this.queued.shift() ?? 200, request.timeoutMs);
  }

  override async close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  private answer(answer: FakeAnswer, timeoutMs: number): HttpSendResult {
    const failure = { kind: 'failure', durationMs: 1 } as const;
    if (answer === 'hang') {
      const error = `Request timeout (${timeoutMs / 1_000}s)`;
      return { ...failure, errorClass: 'timeout', error, durationMs: timeoutMs };
    }
    if (answer === 'refuse')
      return { ...failure, errorClass: 'connection_refused', error: 'Connection error: connection refused' };
    if (answer === 'reset')
      return { ...failure, errorClass: 'connection_reset', error: 'Connection error: connection reset' };
    const { status, body = '', headers = {} } = typeof answer === 'number' ? { status: answer } : answer;
    const kept = Buffer.from(body, 'utf8').subarray(0, KEPT_BYTES).toString('utf8').replaceAll('\0', '');
    const retryAfter = headers['retry-after'] ?? null;
    return {
      ...{ kind: 'response', statusCode: status, retryAfter, responseBody: kept, responseHeaders: headers },
      durationMs: 1,
    };
  }
}
