import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import type { AppLogger } from '../kernel/app-logger.js';
import { DomainError, InvalidInputError, type InputProblem } from '../kernel/domain-error.js';
import { platformCodeOf, STATUS_OF_KIND } from './http-errors.js';

interface Answer {
  readonly status: number;
  readonly detail: string | readonly InputProblem[];
  readonly retryAfterSeconds?: number | null;
}

/** Seconds after which what could not be served may be asked for again: a database that is restarted takes as long. */
const RETRY_AFTER_SECONDS = 5;

/** The one place where errors become answers: `{"detail": "<code>"}`, or every problem of a bad input. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: AppLogger) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const { status, detail, retryAfterSeconds = null } = this.answerOf(cause, request);
    if (status === 401) void reply.header('WWW-Authenticate', 'Bearer');
    if (retryAfterSeconds !== null) void reply.header('Retry-After', String(retryAfterSeconds));
    else if (status === 503) void reply.header('Retry-After', String(RETRY_AFTER_SECONDS));
    // Fastify would close the connection while the client still writes, which then fails before it reads why. Node drops
    // the rest of the body instead; the time limit of requests bounds it.
    if (status === 413) void reply.removeHeader('Connection');
    void reply.status(status).send({ detail });
  }

  private answerOf(cause: unknown, request: FastifyRequest): Answer {
    if (cause instanceof InvalidInputError) return { status: 400, detail: cause.problems };
    if (cause instanceof DomainError) {
      const { kind, code, retryAfterSeconds } = cause;
      return { status: STATUS_OF_KIND[kind], detail: code, retryAfterSeconds };
    }
    if (isDatabaseUnavailable(cause)) {
      this.logger.warn('The database does not answer', {
        requestId: request.id,
        method: request.method,
        cause,
      });
      return { status: 503, detail: 'service_unavailable' };
    }
    const known = statusOf(cause);
    if (known !== null && known < 500) return clientError(known, cause);
    this.logger.error('Request failed', { requestId: request.id, method: request.method, cause });
    return { status: 500, detail: 'internal_error' };
  }
}

function statusOf(cause: unknown): number | null {
  if (cause instanceof HttpException) return cause.getStatus();
  const isFastifyError =
    cause instanceof Error &&
    'statusCode' in cause &&
    'code' in cause &&
    typeof cause.statusCode === 'number';
  return isFastifyError ? Number(cause.statusCode) : null;
}

function clientError(status: number, cause: unknown): Answer {
  // Another verb on a known path says no more than an unknown path does.
  const shown = status === 405 ? 404 : status;
  const code = platformCodeOf(shown);
  if (code !== null) return { status: shown, detail: code };
  return { status: 400, detail: [{ type: 'value_error', loc: ['request'], msg: messageOf(cause) }] };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : 'The request is malformed';
}
