import helmet from '@fastify/helmet';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { v7 } from 'uuid';

import type { AppLogger } from '../kernel/app-logger.js';
import { ErrorFilter } from './error-filter.js';
import { registerJsonBodyParser } from './json-body-parser.js';
import { InputValidationPipe } from './validation-pipe.js';

export interface HttpOptions {
  readonly bodyLimitBytes: number;
  readonly corsOrigins: readonly string[];
}

/** Ids that clients may choose; anything else is replaced, so that logs stay clean. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** Milliseconds that a client may take to send a request: slow ones must not hold connections. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Longest path parameter, in characters: ids are 36, and longer ones answer 404. */
const MAX_PARAM_LENGTH = 500;

export function fastifyAdapter({ bodyLimitBytes }: HttpOptions): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : v7();
    },
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
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.header('X-Request-Id', request.id);
    await Promise.resolve();
  });
  registerJsonBodyParser(fastify, logger);
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: [`'self'`],
        imgSrc: [`'self'`, 'data:'],
        // Swagger's page and component libraries set styles on elements.
        styleSrc: [`'self'`, `'unsafe-inline'`],
        upgradeInsecureRequests: null,
      },
    },
  });
  if (options.corsOrigins.length > 0) {
    app.enableCors({
      origin: options.corsOrigins.includes('*') ? true : [...options.corsOrigins],
      exposedHeaders: ['Link', 'X-Request-Id'],
    });
  }
  app.useGlobalFilters(new ErrorFilter(logger));
  app.useGlobalPipes(new InputValidationPipe());
}
