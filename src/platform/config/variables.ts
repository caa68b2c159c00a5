import {
  boolean,
  cidrs,
  decimal,
  dnsServers,
  encryptionKeys,
  headerValue,
  keySetUrl,
  oneOf,
  origins,
  publicKeyPem,
  text,
  urlOf,
  wholeNumber,
  type Parsed,
} from './parsers.js';

export interface Variable<T> {
  /** As the README shows it. */
  readonly default: string;
  readonly meaning: string;
  readonly parse: (text: string) => Parsed<T>;
}

function variable<T>(parse: (text: string) => Parsed<T>, fallback: string, meaning: string): Variable<T> {
  return { parse, default: fallback, meaning };
}

/** HS256 secrets shorter than this can be found by trying (RFC 7518 §3.2). */
const MIN_JWT_SECRET = 32;

/** Every variable that the service reads; the README's table shows the same list (kept equal by a test). */
export const VARIABLES = {
  PORT: variable(wholeNumber(0, 65_535), '8000', 'Port of the API; 0 takes a free one'),
  HOST: variable(
    text(1, 'a host name or address'),
    '127.0.0.1 (0.0.0.0 in the image)',
    'Address that the API listens on',
  ),
  NODE_ENV: variable(
    oneOf('development', 'test', 'production'),
    'development',
    '`production` refuses development switches and unmigrated databases',
  ),
  DATABASE_URL: variable(
    urlOf('postgres:', 'postgresql:'),
    'unset: embedded database in `DATA_DIR`',
    'PostgreSQL 14 or newer',
  ),
  DATABASE_POOL_SIZE: variable(wholeNumber(2, 500), '10', 'Connections to PostgreSQL, per process'),
  DATA_DIR: variable(
    text(1, 'a folder'),
    './data (/data in the image)',
    'Where the embedded database and generated secrets lie',
  ),
  MIGRATIONS_ON_START: variable(
    boolean,
    'true (false in production with `DATABASE_URL`)',
    'Migrate at boot; otherwise a database that is not up to date stops the boot',
  ),
  REDIS_URL: variable(
    urlOf('redis:', 'rediss:'),
    'unset: inline dispatcher',
    'BullMQ broker for asynchronous delivery',
  ),
  WEBHOOK_BROKER: variable(
    oneOf('inline', 'redis', 'postgres'),
    'redis with `REDIS_URL`, otherwise inline',
    'What tells workers of new deliveries: `inline` this process alone, `redis` BullMQ on Redis, `postgres` BullMQ in `DATABASE_URL`',
  ),
  WEBHOOK_QUEUE_PREFIX: variable(
    text(1, 'a name'),
    'gestiqcloud',
    'Prefix of the keys in Redis; give each installation that shares a Redis its own',
  ),
  WEBHOOK_ROLE: variable(
    oneOf('all', 'api', 'worker'),
    'all',
    '`api` stores and rings, `worker` delivers, `all` does both',
  ),
  JWT_SECRET: variable(
    text(MIN_JWT_SECRET, `at least ${MIN_JWT_SECRET} characters`),
    'generated in embedded mode; otherwise one of the three JWT variables is required',
    'Secret of HS256 tokens, at least 32 characters',
  ),
  JWT_PUBLIC_KEY: variable(publicKeyPem, 'unset', 'Public key (PEM) of RS256, ES256 or EdDSA tokens'),
  JWT_JWKS_URL: variable(keySetUrl, 'unset', 'Key set (JWKS) of the issuer of tokens'),
  JWT_ISSUER: variable(text(1, 'an issuer'), 'unset: not checked', 'Expected `iss` of tokens'),
  JWT_AUDIENCE: variable(text(1, 'an audience'), 'unset: not checked', 'Expected `aud` of tokens'),
  WEBHOOK_ENCRYPTION_KEYS: variable(
    encryptionKeys,
    'generated in embedded mode; otherwise required',
    '`kid:base64(32 bytes)`, comma separated, the first is current: seals signing secrets at rest',
  ),
  WEBHOOK_TIMEOUT_SECONDS: variable(
    decimal(0.1, 300),
    '10',
    'Total budget of one attempt: DNS, connect, TLS, headers, body',
  ),
  WEBHOOK_MAX_RETRIES: variable(wholeNumber(0, 20), '3', 'Retries after the first attempt; 0 makes none'),
  WEBHOOK_MAX_SUBSCRIPTIONS_PER_TENANT: variable(
    wholeNumber(0, 1_000_000),
    '1000',
    'Active subscriptions that one tenant may have; 0 sets no limit',
  ),
  WEBHOOK_STORE_UNMATCHED: variable(
    boolean,
    'true',
    'Keep events that modules emit and nobody is subscribed to, so that they can be replayed; `POST /deliveries` answers 404 then and stores nothing',
  ),
  WEBHOOK_EVENT_VALIDATION: variable(
    oneOf('off', 'warn', 'reject'),
    'off',
    'Hold emitted payloads of known event types against their JSON Schema: `warn` logs what does not fit, `reject` refuses it before anything is stored',
  ),
  WEBHOOK_RETENTION_DAYS: variable(
    wholeNumber(0, 36_500),
    '90',
    'Days after which an event is removed with its deliveries and attempts; 0 keeps them for ever',
  ),
  WEBHOOK_PAYLOAD_RETENTION_DAYS: variable(
    wholeNumber(1, 36_500),
    'unset: as long as the event',
    'Days after which the payload alone is removed; the rows stay, but cannot be sent again',
  ),
  WEBHOOK_MAX_HOLD_DAYS: variable(
    wholeNumber(0, 36_500),
    '30',
    'Days after which a delivery that something keeps back (`held_reason`) is FAILED with `Held too long`; 0 lets it wait for ever',
  ),
  WEBHOOK_USER_AGENT: variable(headerValue, 'GestiqCloud-Webhooks/1.0', '`User-Agent` of deliveries'),
  WEBHOOK_ALLOW_INSECURE_TARGETS: variable(
    oneOf('false', 'loopback', 'true'),
    'false; loopback with the embedded database',
    'Development only: `loopback` allows http(s) to this machine on ports from 1024, `true` any http and private target',
  ),
  WEBHOOK_EGRESS_ALLOW_CIDRS: variable(
    cidrs,
    'empty',
    'Private networks that deliveries may reach, comma separated',
  ),
  WEBHOOK_DNS_SERVERS: variable(
    dnsServers,
    "empty: the system's",
    'DNS servers that resolve targets, comma separated, for instance `10.0.0.53` or `[fd00::53]:5353`',
  ),
  WEBHOOK_METRICS_TENANT_LABEL: variable(boolean, 'false', 'Adds the tenant as a label to the metrics'),
  BODY_LIMIT_BYTES: variable(wholeNumber(1_024, 104_857_600), '1048576', 'Largest request body, in bytes'),
  WEBHOOK_API_RATE_LIMIT_PER_MINUTE: variable(
    wholeNumber(0, 10_000_000),
    '6000',
    'Requests to the API that one tenant may make in a minute, given back evenly over it; 0 sets no limit',
  ),
  PUBLIC_URL: variable(
    urlOf('https:', 'http:'),
    'unset',
    'Where clients and browsers reach this service: the origin of the panel; refused as a target, it would loop',
  ),
  CORS_ORIGINS: variable(
    origins,
    'empty: no CORS',
    'Origins of browsers that may call the API, comma separated',
  ),
  LOG_LEVEL: variable(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Least severity that is logged',
  ),
  LOG_FORMAT: variable(oneOf('json', 'pretty'), 'json; pretty on a terminal', 'Form of the log lines'),
} as const;

export type VariableName = keyof typeof VARIABLES;

export type ValueOf<N extends VariableName> = (typeof VARIABLES)[N] extends Variable<infer T> ? T : never;
