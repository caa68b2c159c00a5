import type { Configuration } from './platform/config/configuration.js';
import type { PinoAppLogger } from './platform/observability/pino-app-logger.js';

/** What an operator has to know at every start. */
export function warn(configuration: Configuration, warnings: readonly string[], logger: PinoAppLogger): void {
  for (const warning of warnings) logger.warn(warning);
  const { allowInsecureTargets } = configuration.delivery;
  if (allowInsecureTargets !== 'false') {
    const opened =
      allowInsecureTargets === 'loopback'
        ? 'http(s) on this machine, ports from 1024'
        : 'any unencrypted or private target';
    logger.warn(
      `WEBHOOK_ALLOW_INSECURE_TARGETS=${allowInsecureTargets}: deliveries may go to ${opened}; for development only`,
    );
  }
}

/** Tells where it listens; with the embedded database also how to try it at once. */
export async function announce(
  configuration: Configuration,
  url: string,
  logger: PinoAppLogger,
): Promise<void> {
  const { server, delivery, database, auth } = configuration;
  logger.info(`Listening on ${url}`, {
    role: server.role,
    database: database.url === null ? 'embedded' : 'postgresql',
    dispatcher: delivery.broker,
  });
  // In production, a credential has no place in what is printed: `npm run token` mints one.
  if (server.production || database.url !== null || auth.key.kind !== 'secret') return;
  const { mintToken } = await import('./platform/auth/mint-token.js');
  const { issuer, audience } = auth;
  const token = await mintToken({ secret: auth.key.secret, tenantId: 'demo', ttl: '7d', issuer, audience });
  logger.flush();
  process.stdout.write(
    [
      '',
      `GestiqCloud Webhooks is ready: ${url} (panel: ${url}/panel/, API documentation: ${url}/docs)`,
      '',
      'Paste these two lines into another shell. The token is of the tenant "demo" and good for 7 days:',
      '',
      `export URL=${url}`,
      `export TOKEN=${token}`,
      '',
      'Try it. This lists the subscriptions of the tenant; there are none at first, so it prints []:',
      '',
      `curl -s -w '\\n' -H "Authorization: Bearer ${token}" ${url}/api/v1/tenant/webhooks/subscriptions`,
      '',
      'Next, subscribe, emit, see it arrive, see why one failed, retry: "Two-minute walk" in README.md. Ctrl-C stops.',
      '',
      '',
    ].join('\n'),
  );
}
