/** The yardstick: a bare loop of undici.request and one HMAC, over the bodies that the drain sends. */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';

process.on('message', ({ url, count, body, concurrency }) => {
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
  let left = count;
  const loop = async () => {
    while (left > 0) {
      left -= 1;
      const signature = createHmac('sha256', 'a-secret-of-some-length').update(body).digest('hex');
      const answer = await request(url, {
        method: 'POST',
        dispatcher,
        body,
        headers: { 'content-type': 'application/json', 'x-signature': `sha256=${signature}` },
      });
      await answer.body.dump();
    }
  };
  Promise.all(Array.from({ length: concurrency }, loop)).then(
    () => process.send({ done: true }),
    (cause) => process.send({ error: String(cause) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
