import { randomBytes } from 'node:crypto';

import { ApiClient, signToken } from '../support/api-client.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { testRedisUrl } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

/** One of the four ways to run the same build. */
export interface Combination {
  readonly database: 'embedded' | 'postgres';
  readonly dispatcher: 'inline' | 'redis';
}

export interface RunningService {
  readonly server: ServerProcess;
  clientOf(tenantId: string, scope?: string): Promise<ApiClient>;
  dispose(): Promise<void>;
}

export const JWT_SECRET = 'e2e-secret-of-thirty-two-characters';

/** Starts the built server in one combination, on a database of its own. */
export async function startCombination(
  { database, dispatcher }: Combination,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const own: TestDatabase | null = database === 'postgres' ? await createMigratedDatabase() : null;
  const server = await startServer({
    hasFiles: own === null,
    env: {
      JWT_SECRET,
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      ...(own === null ? {} : { DATABASE_URL: own.url }),
      ...(dispatcher === 'redis'
        ? { REDIS_URL: testRedisUrl(), WEBHOOK_QUEUE_PREFIX: `e2e-${randomBytes(6).toString('hex')}` }
        : {}),
      ...env,
    },
  });
  return {
    server,
    clientOf: async (tenantId, scope) =>
      new ApiClient(
        server.url,
        await signToken({ secret: JWT_SECRET, tenantId, ...(scope === undefined ? {} : { scope }) }),
      ),
    dispose: async () => {
      await server.dispose();
      await own?.drop();
    },
  };
}
