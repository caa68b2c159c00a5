import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { AuthError } from '../auth/auth-errors.js';
import { bearerTokenOf } from '../auth/bearer-token.js';
import { sessionTokenOf, type RequestPrincipals } from '../auth/request-principals.js';
import type { AppLogger } from '../kernel/app-logger.js';
import { DomainError } from '../kernel/domain-error.js';
import { isApi } from './api-paths.js';
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
 * Limits the requests to the API of each tenant, as its verified token names it, and of each address where there is no
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
    if (!isApi(request.routeOptions.url ?? '')) return;
    const take = async (sender: string): Promise<Verdict> => {
      const nowMs = Date.now();
      return (await shared?.take(sender, nowMs)) ?? local.take(sender, nowMs);
    };
    const verdict = await verdictOf(request, principals, take);
    tell(reply, perMinute, verdict);
    if (!verdict.allowed)
      throw new DomainError(
        'rate_limited',
        'rate_limited',
        'Too many requests of this tenant; wait and try again.',
      );
  });
}

/** A session is looked for in the database: whoever makes tokens of sessions up pays for each try first. */
async function verdictOf(
  request: FastifyRequest,
  principals: RequestPrincipals,
  take: (sender: string) => Promise<Verdict>,
): Promise<Verdict> {
  const address = `address:${clientNetwork(request.ip)}`;
  const bySession = bearerTokenOf(request) === null && sessionTokenOf(request) !== null;
  const ofAddress = bySession ? await take(address) : null;
  if (ofAddress?.allowed === false) return ofAddress;
  const tenantId = await tenantOf(request, principals);
  return tenantId === null ? (ofAddress ?? take(address)) : take(`tenant:${tenantId}`);
}

async function tenantOf(request: FastifyRequest, principals: RequestPrincipals): Promise<string | null> {
  try {
    return (await principals.of(request))?.tenantId ?? null;
  } catch (cause) {
    // The guard of the route answers this; here it only means that no tenant is known.
    if (cause instanceof AuthError) return null;
    throw cause;
  }
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
