import { get } from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startServer, type ServerProcess } from '../support/server-process.js';

/** As it is, where `fetch` would tidy the path up before it is sent. */
function rawStatus(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });
}

describe('the panel', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await startServer({ hasFiles: true });
  }, 180_000);

  afterAll(async () => {
    await server?.dispose();
  });

  it('is served with the API, and loads nothing from elsewhere', async () => {
    const page = await fetch(`${server.url}/panel/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [, file] of html.matchAll(/(?:src|href)="([^":]+)"/g)) {
      const asset = await fetch(`${server.url}/panel/${file ?? ''}`);
      expect({ file, status: asset.status }).toEqual({ file, status: 200 });
    }
    expect((await fetch(`${server.url}/panel/texts.js`)).status).toBe(200);
  });

  it.each(['/panel', '/'])('is found at %s', async (path) => {
    const page = await fetch(server.url + path);
    expect({ status: page.status, url: page.url }).toEqual({ status: 200, url: `${server.url}/panel/` });
  });

  it.each([
    '/panel/nothing.js',
    '/panel/..%2fpackage.json',
    '/panel/../package.json',
    '/panel/%2e%2e/package.json',
  ])('serves nothing but its own files: %s', async (path) => {
    expect([400, 404]).toContain(await rawStatus(server.port, path));
  });
});
