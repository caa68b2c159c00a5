import type { Socket } from 'node:net';
import { LF_ALONE, NOT_HTTP_REASON, ResponseFormatError } from './send-errors.js';

/** `HTTP/1.1 100 ` and the like: as much as tells an interim response from a final one. */
const STATUS_LENGTH = 13;
/** Of all interim responses before one final one; nobody needs more, and a flood of them must not be free. */
const MAX_INTERIM_BYTES = 64 * 1024;
const SWITCHING_PROTOCOLS = ' 101';
const LF = 0x0a;
const CR = 0x0d;
const SLASH = 0x2f;
const ZERO = 0x30;
const ONE = 0x31;

/**
 * Takes interim (1xx) responses out of what a peer sends, which RFC 9110 §15.2 asks of every client; undici ends the
 * connection at a `100 Continue` that it did not ask for. Also says what is wrong with heads whose lines end in a bare
 * LF, for which its parser has a different word in each place.
 *
 * 101 stays in: it would change the protocol, nobody asked for that, and undici refuses it.
 */
export class InterimResponses {
  #isAtStart = false;
  #held: Buffer | null = null;
  #droppedBytes = 0;

  /** A request goes out: what comes next is the start of a response. */
  expectResponse(): void {
    this.#isAtStart = true;
    this.#droppedBytes = 0;
  }

  /**
   * @returns what the parser should see of `chunk`; null: nothing yet
   * @throws ResponseFormatError
   */
  filter(chunk: Buffer): Buffer | null {
    // Nearly every answer: one chunk, which starts with a final response.
    if (!this.#isAtStart) return chunk;
    let bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    for (;;) {
      bytes = this.#withoutBlankLines(bytes);
      const kind = kindOf(bytes);
      if (kind === 'final') {
        // undici asserts otherwise, and fails as if the mistake were ours.
        if (bytes[9] === ZERO) throw new ResponseFormatError(NOT_HTTP_REASON);
        this.#isAtStart = false;
        endOfHead(bytes);
        return bytes;
      }
      const end = kind === 'interim' ? endOfHead(bytes) : -1;
      if (end === -1) return this.#hold(bytes);
      this.#drop(end);
      bytes = bytes.subarray(end);
    }
  }

  /** RFC 9112 §2.2: an empty line or two before a status line are to be passed over. */
  #withoutBlankLines(bytes: Buffer): Buffer {
    let start = 0;
    while (bytes[start] === CR || bytes[start] === LF) start += 1;
    if (start === 0) return bytes;
    this.#drop(start);
    return bytes.subarray(start);
  }

  #hold(bytes: Buffer): null {
    if (bytes.length > MAX_INTERIM_BYTES) throw tooMuch();
    // Copied: a slice would keep the whole chunk of the socket in memory.
    this.#held = bytes.length === 0 ? null : Buffer.from(bytes);
    return null;
  }

  #drop(count: number): void {
    this.#droppedBytes += count;
    if (this.#droppedBytes > MAX_INTERIM_BYTES) throw tooMuch();
  }
}

/** Puts an {@link InterimResponses} between a connected socket and undici, which writes requests and reads by `read()`. */
export function withoutInterimResponses<T extends Socket>(socket: T): T {
  const interim = new InterimResponses();
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...args: readonly unknown[]) => boolean;
  socket.write = (...args: readonly unknown[]): boolean => {
    interim.expectResponse();
    return write(...args);
  };
  socket.read = (size?: number): Buffer | null => {
    // What streams themselves call, to have their buffer filled.
    if (size === 0) return read(0);
    for (;;) {
      const chunk = read(size);
      if (chunk === null) return null;
      try {
        const seen = interim.filter(chunk);
        if (seen !== null) return seen;
      } catch (error) {
        socket.destroy(error as Error);
        return null;
      }
    }
  };
  return socket;
}

function kindOf(bytes: Buffer): 'final' | 'interim' | 'unknown' {
  if (bytes.length >= STATUS_LENGTH) {
    if (bytes[9] !== ONE || bytes[4] !== SLASH) return 'final';
    const text = bytes.toString('latin1', 0, STATUS_LENGTH);
    return /^HTTP\/1\.[01] 1\d\d[ \r\n]$/.test(text) && !text.includes(SWITCHING_PROTOCOLS)
      ? 'interim'
      : 'final';
  }
  // A few bytes of what may become an interim response; anything else is for the parser at once.
  const text = bytes.toString('latin1');
  return ['HTTP/1.1 1', 'HTTP/1.0 1'].some((start) => start.startsWith(text.slice(0, start.length)))
    ? 'unknown'
    : 'final';
}

/** The index after the blank line that ends a head, or -1. @throws ResponseFormatError at a line that ends in LF alone */
function endOfHead(bytes: Buffer): number {
  for (let at = bytes.indexOf(LF), start = 0; at !== -1; start = at + 1, at = bytes.indexOf(LF, start)) {
    if (bytes[at - 1] !== CR) throw new ResponseFormatError(LF_ALONE);
    if (at - start === 1 && start > 0) return at + 1;
  }
  return -1;
}

function tooMuch(): ResponseFormatError {
  return new ResponseFormatError(`more than ${MAX_INTERIM_BYTES / 1024} KiB of interim (1xx) responses`);
}
