import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { AuthError } from '../auth/auth-errors.js';
import type { RequestPrincipals } from '../auth/request-principals.js';
import type { AppLogger } from '../kernel/app-logger.js';
import { DomainError } from '../kernel/domain-error.js';
import { clientNetwork } from './client-network.js';
import { LocalAllowances } from './local-allowances.js';
import type { Verdict } from './request-allowance.js';
import { SharedAllowances } from './shared-allowances.js';

export interface RateLimitOptions {
  /** Requests to the API that one tenant may make in a minute; 0 sets no limit. */
  readonly perMinute: number;
  /** Where the processes count together; null: each counts for itself. */
  readonly redisUrl: string | null;
  readonly keyPrefix: string;
}

/**
 * Limits the requests to `/api/` of each tenant, as its verified token names it, and of each address where there is no
 * such token: whoever has none cannot use up what a tenant may do. Health, metrics and documentation are not counted.
 */
export function limitRequests(
  fastify: FastifyInstance,
  options: RateLimitOptions,
  principals: RequestPrincipals,
  logger: AppLogger,
): void {
  const { perMinute, redisUrl, keyPrefix } = options;
  if (perMinute === 0) return;
  const local = new LocalAllowances(perMinute);
  const shared = redisUrl === null ? null : new SharedAllowances({ redisUrl, keyPrefix, perMinute }, logger);
  fastify.addHook('onClose', async () => {
    shared?.disconnect();
    await Promise.resolve();
  });
  fastify.addHook('onRequest', async (request, reply) => {
    if (!isApi(request)) return;
    const sender = await senderOf(request, principals);
    const nowMs = Date.now();
    const verdict = (await shared?.take(sender, nowMs)) ?? local.take(sender, nowMs);
    tell(reply, perMinute, verdict);
    if (!verdict.allowed)
      throw new DomainError(
        'rate_limited',
        'rate_limited',
        'Too many requests of this tenant; wait and try again.',
      );
  });
}

function isApi(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/api/') === true;
}

async function senderOf(request: FastifyRequest, principals: RequestPrincipals): Promise<string> {
  try {
    const tenantId = (await principals.of(request))?.tenantId;
    if (tenantId !== null && tenantId !== undefined) return `tenant:${tenantId}`;
  } catch (cause) {
    // The guard of the route answers this; here it only means that no tenant is known.
    if (!(cause instanceof AuthError)) throw cause;
  }
  return `address:${clientNetwork(request.ip)}`;
}

function tell(reply: FastifyReply, perMinute: number, verdict: Verdict): void {
  void reply.headers({
    'RateLimit-Limit': String(perMinute),
    'RateLimit-Remaining': String(verdict.remaining),
    'RateLimit-Reset': String(seconds(verdict.fullAfterMs)),
    ...(verdict.allowed ? {} : { 'Retry-After': String(seconds(verdict.retryAfterMs)) }),
  });
}

/** At least one: whoever waits for no seconds at all is refused again. */
function seconds(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / 1_000));
}
