// A Fastify receiver. Run: npm install fastify, then WEBHOOK_SECRET=<the subscription's secret> PORT=8888 node fastify.mjs
import Fastify from 'fastify';
// In your project: import { WebhookSignature } from 'gestiqcloud-webhooks';
import { WebhookSignature } from '../../dist/modules/webhooks/domain/signature.js';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');

const app = Fastify();

// Hands the route the bytes as they came, instead of the parsed object. To keep JSON parsing for your other routes,
// put this parser and the route into a plugin of their own: app.register(async (scope) => { … }).
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);

app.post('/', async (request, reply) => {
  if (!WebhookSignature.verifyRaw(secret, request.body, request.headers['x-signature'])) {
    console.log('refused: X-Signature does not fit');
    return reply.code(401).send();
  }
  // X-Signature says who sent it; the webhook-* headers also say that it is not a recording.
  const check = WebhookSignature.verifyStandard({ secret, headers: request.headers, body: request.body });
  if (!check.ok) {
    console.log(`refused: ${check.reason}`);
    return reply.code(401).send();
  }
  const payload = JSON.parse(request.body.toString('utf8'));
  // Keep check.id (unique) in the transaction that handles the payload: a delivery may arrive twice.
  console.log(`verified ${check.id} ${request.headers['x-event']}`, Object.keys(payload));
  return reply.code(204).send();
});

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 8888) });
console.log(`listening on ${address}`);
