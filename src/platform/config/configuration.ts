import { resolve } from 'node:path';

import { ConfigurationError } from './configuration-error.js';
import type { Environment } from './environment.js';
import { generatedEncryptionKeys, generatedJwtSecret } from './generated-secrets.js';
import type { EncryptionKey } from './parsers.js';
import { VARIABLES, type ValueOf, type Variable, type VariableName } from './variables.js';

export interface ServerSection {
  readonly port: number;
  readonly host: string;
  readonly production: boolean;
  readonly role: 'all' | 'api' | 'worker';
  readonly bodyLimitBytes: number;
  readonly corsOrigins: readonly string[];
  readonly publicUrl: string | null;
  readonly rateLimit: {
    /** Requests of one tenant to the API; 0 sets no limit. */
    readonly perMinute: number;
    readonly redisUrl: string | null;
    readonly keyPrefix: string;
  };
}

export interface DatabaseSection {
  /** Null starts the embedded database. */
  readonly url: string | null;
  readonly poolSize: number;
  readonly dataDir: string;
  readonly migrateOnStart: boolean;
}

/** How tokens are verified. */
export interface AuthSection {
  readonly key:
    | { readonly kind: 'secret'; readonly secret: string }
    | { readonly kind: 'public_key'; readonly pem: string }
    | { readonly kind: 'jwks'; readonly url: string };
  readonly issuer: string | null;
  readonly audience: string | null;
}

export interface DeliverySection {
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly userAgent: string;
  readonly maxActiveSubscriptions: number;
  readonly storeUnmatched: boolean;
  readonly eventValidation: 'off' | 'warn' | 'reject';
  /** 0 keeps history for ever. */
  readonly retentionDays: number;
  /** Null keeps payloads as long as their events. */
  readonly payloadRetentionDays: number | null;
  /** 0 lets deliveries be held for ever. */
  readonly maxHoldDays: number;
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly allowInsecureTargets: 'false' | 'loopback' | 'true';
  readonly egressAllowCidrs: readonly string[];
  readonly dnsServers: readonly string[];
  readonly broker: 'inline' | 'redis' | 'postgres';
  readonly redisUrl: string | null;
  readonly queuePrefix: string;
  readonly labelTenants: boolean;
}

export interface LogSection {
  readonly level: ValueOf<'LOG_LEVEL'>;
  readonly pretty: boolean;
}

export interface Configuration {
  readonly server: ServerSection;
  readonly database: DatabaseSection;
  readonly auth: AuthSection;
  readonly delivery: DeliverySection;
  readonly log: LogSection;
}

/**
 * Reads every variable, in this one place. With the embedded database, missing secrets are made and kept in its folder.
 *
 * @throws ConfigurationError that names every bad or missing variable.
 */
export function readConfiguration(env: Environment): Configuration {
  const problems: string[] = [];
  const read = <N extends VariableName>(name: N): ValueOf<N> | undefined => {
    const raw = env[name];
    if (raw === undefined) return undefined;

    const parsed = (VARIABLES[name] as Variable<ValueOf<N>>).parse(raw);
    if (parsed.ok) return parsed.value;
    problems.push(`${name}: expected ${parsed.expected}`);
    return undefined;
  };

  const production = read('NODE_ENV') === 'production';
  const databaseUrl = read('DATABASE_URL') ?? null;
  const embedded = env['DATABASE_URL'] === undefined;
  const dataDir = resolve(read('DATA_DIR') ?? './data');
  const insecure = read('WEBHOOK_ALLOW_INSECURE_TARGETS') ?? (embedded && !production ? 'loopback' : 'false');
  if (production && insecure !== 'false') {
    problems.push(
      'WEBHOOK_ALLOW_INSECURE_TARGETS: must be false when NODE_ENV=production, it opens private networks',
    );
  }
  const keys = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL'].filter((name) => env[name] !== undefined);
  if (keys.length > 1) problems.push(`${keys.join(', ')}: set only one of them`);
  if (keys.length === 0 && !embedded) {
    problems.push('JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL: one is required to verify tokens');
  }
  if (env['WEBHOOK_ENCRYPTION_KEYS'] === undefined && !embedded) {
    problems.push(
      'WEBHOOK_ENCRYPTION_KEYS: required, for instance k1: followed by the output of `openssl rand -base64 32`',
    );
  }
  const retentionDays = read('WEBHOOK_RETENTION_DAYS') ?? 90;
  const payloadRetentionDays = read('WEBHOOK_PAYLOAD_RETENTION_DAYS') ?? null;
  if (retentionDays > 0 && (payloadRetentionDays ?? 0) > retentionDays) {
    problems.push(
      `WEBHOOK_PAYLOAD_RETENTION_DAYS: must not exceed WEBHOOK_RETENTION_DAYS (${retentionDays}), after which the event itself is removed`,
    );
  }
  if (production && env['JWT_JWKS_URL']?.toLowerCase().startsWith('http:') === true) {
    problems.push('JWT_JWKS_URL: must start with https:// when NODE_ENV=production');
  }
  const values = {
    jwtSecret: read('JWT_SECRET'),
    jwtPublicKey: read('JWT_PUBLIC_KEY'),
    jwksUrl: read('JWT_JWKS_URL'),
    encryptionKeys: read('WEBHOOK_ENCRYPTION_KEYS'),
  };
  const role = read('WEBHOOK_ROLE') ?? 'all';
  if (embedded && role !== 'all') {
    problems.push(
      `WEBHOOK_ROLE: must be all without DATABASE_URL, because the embedded database belongs to one process`,
    );
  }
  const redisUrl = read('REDIS_URL') ?? null;
  const broker = read('WEBHOOK_BROKER') ?? (redisUrl === null ? 'inline' : 'redis');
  if (broker === 'redis' && redisUrl === null && env['REDIS_URL'] === undefined) {
    problems.push('WEBHOOK_BROKER: redis needs REDIS_URL');
  }
  if (broker === 'postgres' && embedded) {
    problems.push(
      'WEBHOOK_BROKER: postgres needs DATABASE_URL; the embedded database belongs to one process',
    );
  }
  const queuePrefix = read('WEBHOOK_QUEUE_PREFIX') ?? 'gestiqcloud';
  const perMinute = read('WEBHOOK_API_RATE_LIMIT_PER_MINUTE') ?? 6_000;
  const configuration = {
    server: {
      port: read('PORT') ?? 8_000,
      host: read('HOST') ?? '127.0.0.1',
      production,
      role,
      bodyLimitBytes: read('BODY_LIMIT_BYTES') ?? 1_048_576,
      corsOrigins: read('CORS_ORIGINS') ?? [],
      publicUrl: read('PUBLIC_URL') ?? null,
      // A worker serves no API.
      rateLimit: { perMinute: role === 'worker' ? 0 : perMinute, redisUrl, keyPrefix: queuePrefix },
    },
    database: {
      url: databaseUrl,
      poolSize: read('DATABASE_POOL_SIZE') ?? 10,
      dataDir,
      migrateOnStart: read('MIGRATIONS_ON_START') ?? (embedded || !production),
    },
    delivery: {
      timeoutMs: (read('WEBHOOK_TIMEOUT_SECONDS') ?? 10) * 1_000,
      maxRetries: read('WEBHOOK_MAX_RETRIES') ?? 3,
      userAgent: read('WEBHOOK_USER_AGENT') ?? 'GestiqCloud-Webhooks/1.0',
      maxActiveSubscriptions: read('WEBHOOK_MAX_SUBSCRIPTIONS_PER_TENANT') ?? 1_000,
      storeUnmatched: read('WEBHOOK_STORE_UNMATCHED') ?? true,
      eventValidation: read('WEBHOOK_EVENT_VALIDATION') ?? 'off',
      retentionDays,
      payloadRetentionDays,
      maxHoldDays: read('WEBHOOK_MAX_HOLD_DAYS') ?? 30,
      allowInsecureTargets: insecure,
      egressAllowCidrs: read('WEBHOOK_EGRESS_ALLOW_CIDRS') ?? [],
      dnsServers: read('WEBHOOK_DNS_SERVERS') ?? [],
      broker,
      redisUrl,
      queuePrefix,
      labelTenants: read('WEBHOOK_METRICS_TENANT_LABEL') ?? false,
    },
    log: {
      level: read('LOG_LEVEL') ?? 'info',
      pretty: (read('LOG_FORMAT') ?? (process.stdout.isTTY && !production ? 'pretty' : 'json')) === 'pretty',
    },
  } as const;
  const issuer = read('JWT_ISSUER') ?? null;
  const audience = read('JWT_AUDIENCE') ?? null;
  if (problems.length > 0) throw new ConfigurationError(problems);

  return {
    ...configuration,
    auth: { key: authKey(values, dataDir), issuer, audience },
    delivery: {
      ...configuration.delivery,
      encryptionKeys: values.encryptionKeys ?? generatedKeys(dataDir),
    },
  };
}

function authKey(
  values: {
    readonly jwtSecret: string | undefined;
    readonly jwtPublicKey: string | undefined;
    readonly jwksUrl: string | undefined;
  },
  dataDir: string,
): AuthSection['key'] {
  if (values.jwtPublicKey !== undefined) return { kind: 'public_key', pem: values.jwtPublicKey };
  if (values.jwksUrl !== undefined) return { kind: 'jwks', url: values.jwksUrl };
  return { kind: 'secret', secret: values.jwtSecret ?? generatedJwtSecret(dataDir) };
}

function generatedKeys(dataDir: string): readonly EncryptionKey[] {
  const parsed = VARIABLES.WEBHOOK_ENCRYPTION_KEYS.parse(generatedEncryptionKeys(dataDir));
  if (parsed.ok) return parsed.value;
  throw new ConfigurationError([`${dataDir}/encryption-keys: expected ${parsed.expected}`]);
}
