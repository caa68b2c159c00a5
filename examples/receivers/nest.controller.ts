// A NestJS receiver. What you need is the controller, `rawBody: true` and `useBodyParser`; the rest starts it on its own.
// Node does not run decorators: compile it as you compile your project. In the root of this repository, built by `npm start`:
// npx esbuild examples/receivers/nest.controller.ts | WEBHOOK_SECRET=<the secret> PORT=8888 node --input-type=module
import { Controller, Headers, HttpCode, Module, Post, Req, UnauthorizedException } from '@nestjs/common';
import type { RawBodyRequest } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
// The helper needs nothing but Node; docs/receivers.md, "With the helper", says how another project gets it.
import { WebhookSignature } from 'gestiqcloud-webhooks/signature';

const secret = process.env['WEBHOOK_SECRET'];
if (!secret) throw new Error('Set WEBHOOK_SECRET to the secret of the subscription');
const signingSecret: string = secret;

@Controller()
export class WebhookReceiverController {
  @Post()
  @HttpCode(204)
  receive(@Req() request: RawBodyRequest<object>, @Headers() headers: Record<string, string>): void {
    // `rawBody` exists because of `rawBody: true` below; `@Body()` would be the parsed object, which cannot be verified.
    const body = request.rawBody ?? '';
    // Given all headers, it also takes X-Signature-Previous: either secret fits while a rotation overlaps.
    if (!WebhookSignature.verifyRaw(signingSecret, body, headers)) {
      console.log('refused: X-Signature does not fit');
      throw new UnauthorizedException();
    }
    // X-Signature says who sent it; the webhook-* headers also say that it is not a recording.
    const check = WebhookSignature.verifyStandard({ secret: signingSecret, headers, body });
    if (!check.ok) {
      console.log(`refused: ${check.reason}`);
      throw new UnauthorizedException(check.reason);
    }
    // Keep check.id (unique) in the transaction that handles the payload: a delivery may arrive twice.
    console.log(`verified ${check.id} ${headers['x-event']}`);
  }
}

@Module({ controllers: [WebhookReceiverController] })
export class WebhookReceiverModule {}

const app = await NestFactory.create<NestFastifyApplication>(WebhookReceiverModule, new FastifyAdapter(), {
  rawBody: true, // the same option with Express
  logger: ['error'],
});
// A template may send application/cloudevents+json. On Express instead:
// app.useBodyParser('json', { type: ['application/json', 'application/*+json'] })
app.useBodyParser(/^application\/.+\+json/);
await app.listen(Number(process.env['PORT'] ?? 8888), '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
