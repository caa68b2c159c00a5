import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below Linux's and macOS's ephemeral ranges (from 32768 and 49152). From inside them, a client that reconnects to a
 * stopped server's port could be given that very port as its own and connect to itself, and a restart could find it taken.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** A TCP port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await canListen(port)) return port;
  }
  throw new Error(
    `No free port found between ${FIRST_PORT} and ${LAST_PORT}: is something listening on them all?`,
  );
}

/** Whether nobody listens on the port: what a test asserts after it stopped a server. */
export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
