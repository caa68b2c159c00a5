import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';

import { fastifyAdapter } from './configure-http-app.js';

const server: FastifyInstance = fastifyAdapter({ bodyLimitBytes: 1_024 }).getInstance();

beforeAll(async () => {
  await server.listen({ port: 0, host: '127.0.0.1' });
});

afterAll(async () => {
  await server.close();
});

async function answerTo(bytes: string): Promise<string> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

/** Red without `clientErrorHandler`: fastify's own answer has another shape. */
it.each([
  [
    'headers beyond the limit',
    `GET / HTTP/1.1\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  [
    'bytes that are no HTTP',
    'HELLO\r\n\r\n',
    400,
    [{ type: 'value_error', loc: ['request'], msg: 'The request is not valid HTTP' }],
  ],
])('%s are answered in the shape of every other error', async (_what, bytes, status, detail) => {
  const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n');

  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/^X-Request-Id: [0-9a-f-]{36}$/m);
  expect(JSON.parse(body)).toEqual({ detail });
});
