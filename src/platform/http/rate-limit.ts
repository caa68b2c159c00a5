import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';

import { AuthError } from '../auth/auth-errors.js';
import type { RequestPrincipals } from '../auth/request-principals.js';
import type { AppLogger } from '../kernel/app-logger.js';
import { DomainError } from '../kernel/domain-error.js';
import { SharedRequestCounters } from './shared-request-counters.js';

export interface RateLimitOptions {
  /** Requests to the API that one tenant may make in a minute; 0 sets no limit. */
  readonly perMinute: number;
  /** Where the processes count together; null: each counts for itself. */
  readonly redisUrl: string | null;
  readonly keyPrefix: string;
}

const WINDOW_MS = 60_000;

/** Counters that a process without Redis keeps; beyond them the least recently used are forgotten. */
const LOCAL_COUNTERS = 10_000;

/**
 * Limits the requests to `/api/` of each tenant, as its verified token names it, and of each address where there is no
 * such token: whoever has none cannot use up what a tenant may do. Health, metrics and documentation are not counted.
 */
export async function limitRequests(
  fastify: FastifyInstance,
  options: RateLimitOptions,
  principals: RequestPrincipals,
  logger: AppLogger,
): Promise<void> {
  if (options.perMinute === 0) return;
  const shared = options.redisUrl === null ? null : new SharedRequestCounters(options.redisUrl, logger);
  if (shared !== null) {
    fastify.addHook('onClose', async () => {
      shared.disconnect();
      await Promise.resolve();
    });
  }
  await fastify.register(rateLimit, {
    max: options.perMinute,
    timeWindow: WINDOW_MS,
    enableDraftSpec: true,
    // A limit that cannot be counted must not stop the API.
    skipOnError: true,
    ...(shared === null
      ? { cache: LOCAL_COUNTERS }
      : { redis: shared, nameSpace: `${options.keyPrefix}:rate-limit:` }),
    keyGenerator: async (request) => (isApi(request) ? keyOf(request, principals) : NOT_COUNTED),
    allowList: (_request, key) => key === NOT_COUNTED,
    errorResponseBuilder: () =>
      new DomainError(
        'rate_limited',
        'rate_limited',
        'Too many requests of this tenant; wait and try again.',
      ),
  });
}

const NOT_COUNTED = '';

function isApi(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/api/') === true;
}

async function keyOf(request: FastifyRequest, principals: RequestPrincipals): Promise<string> {
  try {
    const tenantId = (await principals.of(request))?.tenantId;
    if (tenantId !== null && tenantId !== undefined) return `tenant:${tenantId}`;
  } catch (cause) {
    // The guard of the route answers this; here it only means that no tenant is known.
    if (!(cause instanceof AuthError)) throw cause;
  }
  return `address:${normalizeIP(request.ip)}`;
}
