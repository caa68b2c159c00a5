// An Express receiver. Run it in the root of this repository, built by `npm start` or `npm run build`:
// WEBHOOK_SECRET=<the subscription's secret> PORT=8888 node examples/receivers/express.mjs
import express from 'express';
// The helper needs nothing but Node; docs/receivers.md, "With the helper", says how another project gets it.
import { WebhookSignature } from 'gestiqcloud-webhooks/signature';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');

const app = express();

// express.raw on this route alone, and before any app-wide express.json(): the check needs the bytes as they came.
// application/*+json as well: a template may send application/cloudevents+json.
const rawJson = express.raw({ type: ['application/json', 'application/*+json'], limit: '1mb' });

app.post('/', rawJson, (req, res) => {
  // Given all headers, it also takes X-Signature-Previous: either secret fits while a rotation overlaps.
  if (!WebhookSignature.verifyRaw(secret, req.body, req.headers)) {
    console.log('refused: X-Signature does not fit');
    return res.sendStatus(401);
  }
  // X-Signature says who sent it; the webhook-* headers also say that it is not a recording.
  const check = WebhookSignature.verifyStandard({ secret, headers: req.headers, body: req.body });
  if (!check.ok) {
    console.log(`refused: ${check.reason}`);
    return res.sendStatus(401);
  }
  const payload = JSON.parse(req.body.toString('utf8'));
  // Keep check.id (unique) in the transaction that handles the payload: a delivery may arrive twice.
  console.log(`verified ${check.id} ${req.headers['x-event']}`, Object.keys(payload));
  return res.sendStatus(204);
});

const server = app.listen(Number(process.env.PORT ?? 8888), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
