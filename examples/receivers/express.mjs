// An Express receiver. Run: npm install express, then WEBHOOK_SECRET=<the subscription's secret> PORT=8888 node express.mjs
import express from 'express';
// In your project: import { WebhookSignature } from 'gestiqcloud-webhooks';
import { WebhookSignature } from '../../dist/modules/webhooks/domain/signature.js';

const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');

const app = express();

// express.raw on this route alone, and before any app-wide express.json(): the check needs the bytes as they came.
app.post('/', express.raw({ type: 'application/json', limit: '1mb' }), (req, res) => {
  if (!WebhookSignature.verifyRaw(secret, req.body, req.headers['x-signature'])) {
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
