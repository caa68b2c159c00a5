/**
 * One body to one endpoint again and again, by three ways of sending. All sign it alike, so that what differs is the
 * way alone: `undici` is undici.request, `engine` is the sender of the built server, `axios` is axios as it comes, over
 * Node's own HTTP client with keep-alive.
 */
import { createHmac } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import axios from 'axios';
import { Agent, request } from 'undici';

import { AxiosHttpSender } from '../../dist/modules/webhooks/infrastructure/http/axios-http-sender.js';

const TIMEOUT_MS = 10_000;

/** Each makes a function that resolves with the status of one POST. */
const WAYS = {
  undici(connections) {
    const dispatcher = new Agent({ connections, pipelining: 1 });
    return async (url, headers, body) => {
      const answer = await request(url, { method: 'POST', dispatcher, headers, body });
      await answer.body.dump();
      return answer.statusCode;
    };
  },
  engine(connections) {
    const sender = new AxiosHttpSender({
      targets: { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] },
      connectionsPerOrigin: connections,
    });
    return async (url, headers, body) => {
      const result = await sender.send({ url, headers, body, timeoutMs: TIMEOUT_MS });
      return result.kind === 'response' ? result.statusCode : result.error;
    };
  },
  axios(connections) {
    const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: connections });
    return async (url, headers, body) => {
      const answer = await axios.post(url, body, { headers, httpAgent, timeout: TIMEOUT_MS, proxy: false });
      return answer.status;
    };
  },
};

process.on('message', ({ way, url, count, body, concurrency }) => {
  const post = WAYS[way](concurrency);
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      const signature = createHmac('sha256', 'a-secret-of-some-length').update(body).digest('hex');
      const headers = { 'content-type': 'application/json', 'x-signature': `sha256=${signature}` };
      const status = await post(url, headers, body);
      if (status !== 200) throw new Error(`${way}: ${url} answered ${status}`);
    }
  };
  Promise.all(Array.from({ length: concurrency }, loop)).then(
    () => process.send({ done: true }),
    (cause) => process.send({ error: String(cause) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
