import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canListen } from './free-port.js';
import { startServer } from './server-process.js';

/** A server in miniature: it answers, logs a line of JSON, and ends with the exit code 7 on SIGTERM, if it listens to that. */
const SERVER = `
import { createServer } from 'node:http';
console.log(JSON.stringify({ level: 30, msg: 'environment', keys: Object.keys(process.env).sort() }));
if (process.env.FAIL) { console.error('PORT: expected a number'); process.exit(3); }
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.env.DEAF || process.exit(7));
`;

describe('startServer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webhooks-support-spec-'));
  const entry = join(folder, 'server.mjs');

  beforeAll(() => {
    writeFileSync(entry, SERVER);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('waits until the server answers, and gives its exit code and log', async () => {
    process.env['DATABASE_URL_OF_THE_CALLER'] = 'must not be passed on';
    const server = await startServer({ entry, env: { EXTRA: '1' } });
    const line = await server.waitForLog(({ msg }) => msg === 'environment');

    expect(line['keys']).toEqual(expect.arrayContaining(['EXTRA', 'HOST', 'LOG_LEVEL', 'PORT']));
    expect(line['keys']).not.toContain('DATABASE_URL_OF_THE_CALLER');
    expect(await canListen(server.port)).toBe(false);
    expect(await server.stop()).toBe(7);
    expect(await canListen(server.port)).toBe(true);
    await server.dispose();
    expect(existsSync(server.cwd)).toBe(false);
  });

  it('tells why a server did not start, in its own words', async () => {
    await expect(startServer({ entry, env: { FAIL: '1' } })).rejects.toThrow(
      /it ended \(exit code 3\)[^]*PORT: expected a number/,
    );
  });

  it('kills a server that does not stop in time, and says so', async () => {
    const server = await startServer({ entry, env: { DEAF: '1' } });

    await expect(server.stop('SIGTERM', 100)).rejects.toThrow('still running 100 ms after SIGTERM');
    expect(await server.exited).toBe(128 + 9);
    await server.dispose();
  });
});
