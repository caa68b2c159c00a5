/** The target is refused by policy. Thrown before any socket is opened, so its timing says nothing about ports. */
export class BlockedTargetError extends Error {
  /** @param addressClass class or rule that refused it; never the resolved address, which is nobody's business. */
  constructor(readonly addressClass: string) {
    super(`Blocked target: ${addressClass}`);
    this.name = 'BlockedTargetError';
  }
}

/** The name could not be resolved; `code` is that of the DNS client (`ENOTFOUND`, `ESERVFAIL`, `ETIMEOUT`, …). */
export class DnsLookupError extends Error {
  constructor(readonly code: string) {
    super(`DNS lookup failed (${code})`);
    this.name = 'DnsLookupError';
  }
}

/** The TCP connection stood, but TLS did not come about. */
export class TlsHandshakeError extends Error {
  /** @param reason for people, e.g. `certificate has expired`. */
  constructor(readonly reason: string) {
    super(`TLS error (${reason})`);
    this.name = 'TlsHandshakeError';
  }
}

export const NOT_HTTP_REASON = 'response is not valid HTTP';
export const LF_ALONE = 'lines of a response must end in CRLF, not in LF alone';

/** The peer answered, but not as HTTP/1.1 asks; `message` says what is wrong, for people. */
export class ResponseFormatError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ResponseFormatError';
  }
}

/** The time budget ended: of a request, or of the connection that it was waiting for. */
export class BudgetExceededError extends Error {
  /** @param phase what hung, where that is known and says more than the time. */
  constructor(readonly phase: 'TLS handshake' | null = null) {
    super('the time budget is used up');
    this.name = 'BudgetExceededError';
  }
}

/** The request was not to be written any more when there was a connection for it. */
export class WithheldError extends Error {
  constructor() {
    super('the request was withheld');
    this.name = 'WithheldError';
  }
}

/** The request was not sent at all, because of itself; `message` says why. */
export class RequestRefusedError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RequestRefusedError';
  }
}
