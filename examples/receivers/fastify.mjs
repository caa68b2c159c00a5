// A Fastify receiver. Run it in the root of this repository, built by `npm start` or `npm run build`:
// WEBHOOK_SECRET=<the subscription's secret> PORT=8888 node examples/receivers/fastify.mjs
import Fastify from 'fastify';
// The helper needs nothing but Node; docs/receivers.md, "With the helper", says how another project gets it.
import { WebhookSignature } from 'gestiqcloud-webhooks/signature';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');

const app = Fastify();

// A template may send application/cloudevents+json.
const json = ['application/json', /^application\/.+\+json/];

// Hands the route the bytes as they came, instead of the parsed object. To keep JSON parsing for your other routes,
// put this parser and the route into a plugin of their own: app.register(async (scope) => { … }).
app.addContentTypeParser(json, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/', async (request, reply) => {
  // Given all headers, it also takes X-Signature-Previous: either secret fits while a rotation overlaps.
  if (!WebhookSignature.verifyRaw(secret, request.body, request.headers)) {
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
