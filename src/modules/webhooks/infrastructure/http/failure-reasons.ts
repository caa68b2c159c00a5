import { types } from 'node:util';
import type { ErrorClass } from '../../domain/attempt.js';
import {
  BlockedTargetError,
  BudgetExceededError,
  DnsLookupError,
  LF_ALONE,
  NOT_HTTP_REASON,
  RequestRefusedError,
  ResponseFormatError,
  TlsHandshakeError,
} from './send-errors.js';

export interface FailureReason {
  readonly errorClass: Exclude<ErrorClass, 'http_3xx' | 'http_4xx' | 'http_5xx'>;
  /** The text of `last_error`. */
  readonly error: string;
}

/** Errors of sockets and of undici, by code: what the tenant reads. */
const BY_CODE: Readonly<Record<string, readonly [FailureReason['errorClass'], reason: string]>> = {
  ECONNREFUSED: ['connection_refused', 'connection refused'],
  ECONNRESET: ['connection_reset', 'connection reset'],
  EPIPE: ['connection_reset', 'connection reset'],
  ECONNABORTED: ['connection_reset', 'connection reset'],
  UND_ERR_SOCKET: ['connection_reset', 'connection closed before the response'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  EHOSTUNREACH: ['other', 'host unreachable'],
  ENETUNREACH: ['other', 'network unreachable'],
  EADDRNOTAVAIL: ['other', 'network unreachable'],
  EMFILE: ['other', 'too many open connections'],
  UND_ERR_HEADERS_OVERFLOW: ['other', 'response headers over 16 KiB'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['other', NOT_HTTP_REASON],
  UND_ERR_CLOSED: ['other', 'sender is shutting down'],
  UND_ERR_DESTROYED: ['other', 'sender is shutting down'],
};

const TLS_REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in the chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'unable to verify the certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to verify the certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate does not match the host name',
};

/** The peer spoke, but not HTTP as a server should: garbage, an upgrade that nobody asked for. */
const NOT_HTTP = connectionError('other', NOT_HTTP_REASON);

/** What somebody sees who answers by hand, with `nc` or a script. */
const BARE_LF = connectionError('other', LF_ALONE);

/** Says what went wrong with an attempt that got no response. Never contains an address that a name resolved to. */
export function failureReasonOf(error: unknown, timeoutMs: number): FailureReason {
  if (error instanceof BudgetExceededError) {
    const during = error.phase === null ? '' : ` during the ${error.phase}`;
    return { errorClass: 'timeout', error: `Request timeout (${timeoutMs / 1000}s)${during}` };
  }
  if (error instanceof BlockedTargetError) return { errorClass: 'blocked', error: error.message };
  if (error instanceof DnsLookupError) return connectionError('dns_error', error.message);
  if (error instanceof TlsHandshakeError) return connectionError('tls_error', error.message);
  if (error instanceof RequestRefusedError) return connectionError('other', error.message);
  if (error instanceof ResponseFormatError) return connectionError('other', error.message);
  const code = codeOf(error);
  if (code === 'UND_ERR_SOCKET' && types.isNativeError(error) && error.message.startsWith('bad '))
    return NOT_HTTP;
  const known = BY_CODE[code];
  if (known) return connectionError(...known);
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return connectionError('tls_error', `TLS error (${opensslReasonOf(error) ?? code})`);
  }
  // By name: undici's parser error carries a code only sometimes.
  if (types.isNativeError(error) && error.name === 'HTTPParserError') {
    return error.message.includes('Missing expected CR') ? BARE_LF : NOT_HTTP;
  }
  return connectionError('other', code === '' ? 'request failed' : `request failed (${code})`);
}

/** Why a handshake failed, or null when it was the connection rather than TLS. */
export function tlsReasonOf(error: Error): string | null {
  const code = codeOf(error);
  if (BY_CODE[code]) return null;
  return (
    TLS_REASONS[code] ??
    opensslReasonOf(error) ??
    (code.toLowerCase().replaceAll('_', ' ') || 'handshake failed')
  );
}

function connectionError(errorClass: FailureReason['errorClass'], reason: string): FailureReason {
  return { errorClass, error: `Connection error: ${reason}` };
}

/** The `code` of a system, DNS, TLS or undici error, or the empty text. */
export function codeOf(error: unknown): string {
  return textOf(error, 'code') ?? '';
}

/** OpenSSL's short text, e.g. `wrong version number`; its `message` is full of source files and hex. */
function opensslReasonOf(error: unknown): string | null {
  return textOf(error, 'reason');
}

/** Not by `instanceof Error`: Node's own errors come from another realm when this runs inside a vm context. */
function textOf(error: unknown, key: 'code' | 'reason'): string | null {
  const value: unknown = types.isNativeError(error) ? Reflect.get(error, key) : null;
  return typeof value === 'string' ? value : null;
}
