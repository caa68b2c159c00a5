import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { VARIABLES } from '../../src/platform/config/variables.js';
import { bootToExit, STACK_LINE } from '../support/boot-to-exit.js';
import { startServer } from '../support/server-process.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const KEYS = `k1:${randomBytes(32).toString('base64')}`;
/** Stands in every bad value; whatever is refused may be a secret, so it must not be printed. */
const CANARY = 'hunter2canary';

/** One value of each variable that cannot be one, and how the boot says what it expected. */
const BAD: Readonly<Record<string, readonly [value: string, expected: string]>> = {
  PORT: [`80${CANARY}`, 'a whole number from 0 to 65535'],
  DATABASE_URL: [`mysql://root:${CANARY}@db/erp`, 'a URL starting with postgres:// or postgresql://'],
  DATABASE_POOL_SIZE: ['1', 'a whole number from 2 to 500'],
  MIGRATIONS_ON_START: [CANARY, 'true or false'],
  REDIS_URL: [`http://:${CANARY}@redis`, 'a URL starting with redis:// or rediss://'],
  WEBHOOK_ROLE: [CANARY, 'one of all, api, worker'],
  JWT_SECRET: ['hunter2', 'at least 32 characters'],
  WEBHOOK_ENCRYPTION_KEYS: [`k1:${CANARY}`, 'kid:base64 of 32 bytes, comma separated'],
  WEBHOOK_TIMEOUT_SECONDS: ['0', 'a number from 0.1 to 300'],
  WEBHOOK_MAX_RETRIES: ['-1', 'a whole number from 0 to 20'],
  WEBHOOK_USER_AGENT: [`${CANARY}é`, '1–200 printable ASCII characters'],
  WEBHOOK_ALLOW_INSECURE_TARGETS: [CANARY, 'one of false, loopback, true'],
  WEBHOOK_EGRESS_ALLOW_CIDRS: [`10.0.0.0/8,${CANARY}`, 'networks such as 10.1.0.0/16'],
  WEBHOOK_METRICS_TENANT_LABEL: [CANARY, 'true or false'],
  BODY_LIMIT_BYTES: ['1', 'a whole number from 1024 to 104857600'],
  PUBLIC_URL: [`ftp://${CANARY}`, 'a URL starting with https:// or http://'],
  CORS_ORIGINS: [`https://${CANARY}/path`, 'origins such as https://erp.customer.com'],
  LOG_LEVEL: [CANARY, 'one of fatal, error, warn, info, debug, trace, silent'],
  LOG_FORMAT: [CANARY, 'one of json, pretty'],
};

/** Variables of the same three-way choice as JWT_SECRET; each is tried alone. */
const BAD_ALONE: Readonly<Record<string, readonly [value: string, expected: string]>> = {
  JWT_PUBLIC_KEY: [
    `-----BEGIN PUBLIC KEY-----\\n${CANARY}\\n-----END PUBLIC KEY-----`,
    'a public key in PEM form',
  ],
  JWT_JWKS_URL: [
    `http://${CANARY}.customer.com/keys`,
    'a URL starting with https://, or http:// on this machine',
  ],
};

/** Any text of these is a value: a host is tried by listening on it, a folder by opening it. */
const ANY_TEXT = ['HOST', 'DATA_DIR', 'JWT_ISSUER', 'JWT_AUDIENCE', 'WEBHOOK_QUEUE_PREFIX'];

/** Whatever joins the variables later: tried with the canary, unless it takes any text. */
const FURTHER = Object.fromEntries(
  Object.entries(VARIABLES).flatMap(([name, { parse }]): [string, readonly [string, string]][] => {
    if (name in BAD || name in BAD_ALONE || ANY_TEXT.includes(name)) return [];
    const parsed = parse(CANARY);
    return parsed.ok ? [] : [[name, [CANARY, parsed.expected]]];
  }),
);
const ALL_BAD = { ...BAD, ...FURTHER };

describe('a boot with bad variables', () => {
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = temporaryFolder('webhooks-boot-');
  });

  afterEach(() => {
    folder.remove();
  });

  const refusedLines = (output: string): readonly string[] =>
    output.split('\n').filter((line) => line.startsWith('  - '));

  it('is tried with variables that there are', () => {
    const tried = [...Object.keys(BAD), ...Object.keys(BAD_ALONE), ...ANY_TEXT];
    expect(tried.filter((name) => !(name in VARIABLES))).toEqual([]);
  });

  // Red when a variable is read without its parser, or when the first problem ends the reading.
  it('names every one of them at once with what was expected, and prints no value', async () => {
    const env = Object.fromEntries(Object.entries(ALL_BAD).map(([name, [value]]) => [name, value]));
    const { exitCode, output } = await bootToExit({ cwd: folder.path, env });
    expect(exitCode).toBe(1);
    const lines = refusedLines(output);
    for (const [name, [, expected]] of Object.entries(ALL_BAD)) {
      const mine = lines.filter((line) => line.startsWith(`  - ${name}: expected ${expected}`));
      expect({ name, mine: mine.length, lines }).toEqual({ name, mine: 1, lines });
    }
    expect(lines).toHaveLength(Object.keys(ALL_BAD).length);
    expect(output).not.toMatch(STACK_LINE);
    expect(output).not.toContain('hunter2');
    expect(existsSync(join(folder.path, 'data'))).toBe(false);
  });

  it.each(Object.entries(BAD_ALONE))('names %s alone', async (name, [value, expected]) => {
    const { exitCode, output } = await bootToExit({ cwd: folder.path, env: { [name]: value } });
    expect({ exitCode, lines: refusedLines(output) }).toEqual({
      exitCode: 1,
      lines: [expect.stringContaining(`${name}: expected ${expected}`)],
    });
    expect(output).not.toContain(CANARY);
  });

  it.each<[string, Record<string, string>, readonly string[]]>([
    [
      'keys and token secret, with a database of one’s own',
      { DATABASE_URL: 'postgres://erp@127.0.0.1:1/erp' },
      ['JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL: one is required', 'WEBHOOK_ENCRYPTION_KEYS: required'],
    ],
    [
      'one way to verify tokens',
      { JWT_SECRET: 'boot-secret-of-thirty-two-chars!', JWT_JWKS_URL: 'https://id.example.com/keys' },
      ['JWT_SECRET, JWT_JWKS_URL: set only one of them'],
    ],
    ...['loopback', 'true'].map((value): [string, Record<string, string>, readonly string[]] => [
      `closed targets in production, not ${value}`,
      { NODE_ENV: 'production', WEBHOOK_ALLOW_INSECURE_TARGETS: value },
      ['WEBHOOK_ALLOW_INSECURE_TARGETS: must be false when NODE_ENV=production'],
    ]),
    [
      'keys over an encrypted connection in production, on this machine as well',
      { NODE_ENV: 'production', JWT_JWKS_URL: 'HTTP://127.0.0.1:9000/keys' },
      ['JWT_JWKS_URL: must start with https:// when NODE_ENV=production'],
    ],
    ...['api', 'worker'].map((role): [string, Record<string, string>, readonly string[]] => [
      `one process for the embedded database, not ${role}`,
      { WEBHOOK_ROLE: role },
      ['WEBHOOK_ROLE: must be all without DATABASE_URL'],
    ]),
    ...[
      ['redis', 'redis needs REDIS_URL'],
      ['postgres', 'postgres needs DATABASE_URL'],
    ].map(([broker = '', needs = '']): [string, Record<string, string>, readonly string[]] => [
      `what a broker is made of (${broker})`,
      { WEBHOOK_BROKER: broker },
      [`WEBHOOK_BROKER: ${needs}`],
    ]),
    [
      'a known environment',
      { NODE_ENV: 'prod' },
      ['NODE_ENV: expected one of development, test, production'],
    ],
  ])('wants %s', async (_what, env, problems) => {
    const { exitCode, output } = await bootToExit({ cwd: folder.path, env });
    expect({ exitCode, lines: refusedLines(output) }).toEqual({
      exitCode: 1,
      lines: problems.map((problem) => expect.stringContaining(problem)),
    });
    expect(output).not.toMatch(STACK_LINE);
  });

  it('reads a .env file, under the environment; a bad line of it is named as well', async () => {
    writeFileSync(join(folder.path, '.env'), 'PORT=none\nLOG_LEVEL=loud\nWEBHOOK_MAX_RETRIES=many\n');
    const { output } = await bootToExit({ cwd: folder.path, env: { LOG_LEVEL: 'warn', PORT: '0' } });
    expect(refusedLines(output)).toEqual([expect.stringContaining('WEBHOOK_MAX_RETRIES: expected')]);
  });

  it('boots with a good .env file alone, which a variable set to nothing does not hide', async () => {
    const secret = 'the-secret-of-the-dot-env-file-32';
    writeFileSync(
      join(folder.path, '.env'),
      `JWT_SECRET=${secret}\nWEBHOOK_ENCRYPTION_KEYS="${KEYS}"\n# comment\nDATA_DIR=elsewhere\n`,
    );
    const server = await startServer({ cwd: folder.path, env: { DATA_DIR: '' } });
    const started = await server.waitForLog(({ msg }) => msg?.startsWith('Listening on') === true);
    expect(started).toMatchObject({ role: 'all', database: 'embedded', dispatcher: 'inline' });
    expect(existsSync(join(folder.path, 'elsewhere'))).toBe(true);
    expect(existsSync(join(folder.path, 'data'))).toBe(false);
    expect(await server.stop()).toBe(0);
    await server.dispose();
  });
});
