import { parseArgs } from 'node:util';

import { SignJWT } from 'jose';

import { ConfigurationError } from '../config/configuration-error.js';
import { readEnvironment, type Environment } from '../config/environment.js';
import { generatedJwtSecret } from '../config/generated-secrets.js';
import { VARIABLES } from '../config/variables.js';

const DEFAULT_SCOPE = 'webhooks:read webhooks:write';
const DEFAULT_TTL = '1h';
/** Seconds to weeks. A span in the past, which the library would take as well, makes a token that nobody accepts. */
const TTL = /^[1-9]\d{0,5}[smhdw]$/;

export interface TokenRequest {
  readonly secret: string;
  readonly tenantId: string;
  readonly scope?: string;
  /** A span such as `15m`, `1h` or `7d`. */
  readonly ttl?: string;
  readonly issuer?: string | null;
  readonly audience?: string | null;
}

/** Signs an HS256 token for development. */
export async function mintToken(request: TokenRequest): Promise<string> {
  const token = new SignJWT({ tenant_id: request.tenantId, scope: request.scope ?? DEFAULT_SCOPE })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject('development')
    .setIssuedAt()
    .setExpirationTime(request.ttl ?? DEFAULT_TTL);
  if (request.issuer) token.setIssuer(request.issuer);
  if (request.audience) token.setAudience(request.audience);
  return token.sign(new TextEncoder().encode(request.secret));
}

const USAGE = `usage: npm run token -- --tenant T [--scope "${DEFAULT_SCOPE}"] [--ttl ${DEFAULT_TTL}]`;

/** `npm run token`: prints a token for the secret of this configuration. @returns the exit code */
export async function runTokenCommand(args: readonly string[], processEnv: Environment): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { tenant: { type: 'string' }, scope: { type: 'string' }, ttl: { type: 'string' } },
    });
    const { tenant, scope = DEFAULT_SCOPE, ttl = DEFAULT_TTL } = values;
    if (tenant === undefined || !/^[A-Za-z0-9_-]{1,64}$/.test(tenant)) {
      return fail(`--tenant must be 1–64 of A-Z, a-z, 0-9, _ and -\n${USAGE}`);
    }
    if (!TTL.test(ttl)) return fail(`--ttl must be a span such as 15m, 1h or 7d\n${USAGE}`);
    const env = readEnvironment(processEnv);
    const token = await mintToken({
      secret: secretOf(env),
      tenantId: tenant,
      scope,
      ttl,
      issuer: env['JWT_ISSUER'] ?? null,
      audience: env['JWT_AUDIENCE'] ?? null,
    });
    process.stdout.write(`${token}\n`);
    return 0;
  } catch (cause) {
    return fail(`${cause instanceof Error ? cause.message : String(cause)}\n${USAGE}`);
  }
}

function secretOf(env: Environment): string {
  if (env['JWT_PUBLIC_KEY'] !== undefined || env['JWT_JWKS_URL'] !== undefined) {
    throw new ConfigurationError([
      'JWT_SECRET: tokens of a public key or key set are minted by their issuer, not here',
    ]);
  }
  const secret = env['JWT_SECRET'];
  if (secret === undefined) {
    if (env['DATABASE_URL'] !== undefined)
      throw new ConfigurationError(['JWT_SECRET: required with DATABASE_URL']);
    return generatedJwtSecret(env['DATA_DIR'] ?? './data');
  }
  const parsed = VARIABLES.JWT_SECRET.parse(secret);
  if (parsed.ok) return parsed.value;
  throw new ConfigurationError([`JWT_SECRET: expected ${parsed.expected}`]);
}

function fail(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}
