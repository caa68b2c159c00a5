import { ModuleRef } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { useContainer } from 'class-validator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';

import { RequestPrincipals } from '../auth/request-principals.js';
import type { AppLogger } from '../kernel/app-logger.js';
import { uuidV7 } from '../kernel/uuid.js';
import { isApi } from './api-paths.js';
import { constraintContainer } from './constraint-container.js';
import { ErrorFilter } from './error-filter.js';
import { registerJsonBodyParser } from './json-body-parser.js';
import { limitRequests, type RateLimitOptions } from './rate-limit.js';
import { securityHeaders } from './security-headers.js';
import { answerUnparsedRequest } from './unparsed-request.js';
import { InputValidationPipe } from './validation-pipe.js';

export interface HttpOptions {
  readonly bodyLimitBytes: number;
  readonly corsOrigins: readonly string[];
  readonly rateLimit: RateLimitOptions;
}

/** Ids that clients may choose; anything else is replaced, so that logs stay clean. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Milliseconds that a client may take to send a request, head and body: slow ones must not hold connections. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Milliseconds between two looks for such clients: Node's own, 30 s, would let them stay twice as long. */
const TIMEOUT_CHECK_MS = 1_000;

/** Verbs of the API: a browser asks for leave before it sends the last two. */
const CORS_METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'];

/** Longest path parameter, in characters: as long as Node lets a head be, so that the routes answer 404 for any wrong id. */
const MAX_PARAM_LENGTH = 16_384;

/** A browser's script sees only those headers of an answer that it is allowed to. */
const RATE_LIMIT_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];

export function fastifyAdapter(
  { bodyLimitBytes }: Pick<HttpOptions, 'bodyLimitBytes'>,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    // Node takes the shorter of the two limits for the head and the longer one for the body: they have to be equal.
    http: {
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, requestTimeoutMs),
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : uuidV7();
    },
    clientErrorHandler: answerUnparsedRequest,
    // Errors of the router itself (a malformed URL) never reach Nest's filter.
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply
        .status(400)
        .header('X-Request-Id', request.id)
        .send({ detail: [{ type: 'value_error', loc: ['path'], msg: 'The URL is malformed' }] });
    },
  });
}

/** Everything that every request goes through. Call it before `app.init()`. */
export async function configureHttpApp(
  app: NestFastifyApplication,
  options: HttpOptions,
  logger: AppLogger,
): Promise<void> {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const headers = securityHeaders();
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers).header('X-Request-Id', request.id);
    // Secrets and payloads are in answers: no cache between here and the client may keep one.
    if (isApi(request.url)) void reply.header('Cache-Control', 'no-store');
    done();
  });
  registerJsonBodyParser(fastify, logger);
  if (options.corsOrigins.length > 0) {
    app.enableCors({
      origin: options.corsOrigins.includes('*') ? true : [...options.corsOrigins],
      methods: CORS_METHODS,
      exposedHeaders: ['Link', 'X-Request-Id', 'Retry-After', ...RATE_LIMIT_HEADERS],
    });
  }
  limitRequests(fastify, options.rateLimit, app.get(RequestPrincipals, { strict: false }), logger);
  const providers = app.get(ModuleRef);
  useContainer(
    constraintContainer((type) => providers.get(type, { strict: false })),
    { fallback: true },
  );
  app.useGlobalFilters(new ErrorFilter(logger));
  app.useGlobalPipes(new InputValidationPipe());
}
