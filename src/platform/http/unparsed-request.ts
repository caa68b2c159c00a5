import type { Socket } from 'node:net';

import { uuidV7 } from '../kernel/uuid.js';
import { PLATFORM_ERRORS } from './http-errors.js';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/**
 * Answers what Node could not read as a request: there is no reply to fill in, so the bytes are written here, in the
 * same shape as every other error. The connection ends: where the next request would start is unknown.
 */
export function answerUnparsedRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, detail } = answerOf(error.code);
  const body = JSON.stringify({ detail });
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${uuidV7()}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function answerOf(code: string | undefined): { readonly status: number; readonly detail: unknown } {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { status: PLATFORM_ERRORS.headers_too_large, detail: 'headers_too_large' };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: PLATFORM_ERRORS.request_timeout, detail: 'request_timeout' };
  const msg = 'The request is not valid HTTP';
  return { status: 400, detail: [{ type: 'value_error', loc: ['request'], msg }] };
}
