// A receiver with nothing installed. Run: WEBHOOK_SECRET=<the subscription's secret> PORT=8888 node verify_inline.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const secret = process.env.WEBHOOK_SECRET ?? '';
const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
if (key.length === 0) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - sentAt) <= 300)) return false; // absent, too old or too new: a replay
  const digest = createHmac('sha256', key).update(`${id}.${sentAt}.`).update(body).digest('base64');
  const expected = Buffer.from(`v1,${digest}`);
  const given = signatures.split(' ').map((signature) => Buffer.from(signature));
  return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // exactly the bytes received; JSON.parse only after the check
  const genuine = isGenuine(request.headers, body);
  console.log(
    genuine ? `verified ${request.headers['webhook-id']} ${request.headers['x-event']}` : 'refused',
  );
  response.writeHead(genuine ? 204 : 401).end();
});
server.listen(Number(process.env.PORT ?? 8888), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
