import { Injectable } from '@nestjs/common';

import { Clock } from '../../../platform/kernel/clock.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { RequestBody } from '../domain/preset-body.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import { JWT_HEADER, webhookJwtClaims } from '../domain/webhook-jwt.js';
import { DeliverySettings } from './delivery-settings.js';
import { HeaderCache } from './header-cache.js';
import { JwtSigner } from './ports/jwt-signer.js';
import { SignerCache, type Signers } from './signer-cache.js';

/** The headers of one request. */
export interface RequestHeaders {
  readonly sent: Readonly<Record<string, string>>;
  /** The same as they may be kept in the log: secret ones of the tenant are masked. */
  readonly logged: Readonly<Record<string, string>>;
  /** What must not be kept of an answer. */
  readonly secrets: readonly string[];
}

const NONE: readonly string[] = [];

/** Makes the headers of an attempt: what the contract names, its signatures, and what the subscription adds. */
@Injectable()
export class SignedHeaders {
  constructor(
    private readonly settings: DeliverySettings,
    private readonly signers: SignerCache,
    private readonly added: HeaderCache,
    private readonly jwt: JwtSigner,
    private readonly clock: Clock,
  ) {}

  /** @param body what is sent, and signed. @param more headers of ours beside the usual ones. @throws when something to sign with cannot be read now. */
  async of(
    claim: ClaimedDelivery,
    settings: SubscriptionSettings,
    body: RequestBody,
    more?: Readonly<Record<string, string>>,
  ): Promise<RequestHeaders> {
    const signers = this.signers.signersOf(claim);
    const nowSeconds = Math.floor(this.clock.nowMs() / 1_000);
    const own: Record<string, string> = {
      'Content-Type': body.contentType,
      'User-Agent': this.settings.userAgent,
      'X-Event': claim.event,
      'X-Signature': signers.current.xSignature(body.text),
      'X-Delivery-Id': claim.id,
      'webhook-id': claim.id,
      'webhook-timestamp': String(nowSeconds),
      'webhook-signature': this.standard(claim, settings, signers, nowSeconds, body.text),
    };
    if (more !== undefined) Object.assign(own, more);
    if (signers.previous !== null) own['X-Signature-Previous'] = signers.previous.xSignature(body.text);
    if (settings.signature.scheme === 'jwt') {
      own[JWT_HEADER] = await this.token(claim, settings, signers, nowSeconds, body.text);
    }
    const added = this.added.of(claim, settings);
    if (added === null) return { sent: own, logged: own, secrets: NONE };
    const { sent, logged, secrets } = added;
    return { sent: { ...own, ...sent }, logged: { ...own, ...logged }, secrets };
  }

  /** Receivers try each: one that was not told the new secret or key yet still finds the signature that it knows. */
  private standard(
    claim: ClaimedDelivery,
    settings: SubscriptionSettings,
    { current, previous }: Signers,
    nowSeconds: number,
    body: string,
  ): string {
    const all = [
      current,
      ...(previous === null ? [] : [previous]),
      ...this.signers.keyPairsOf(claim, settings),
    ];
    return all.map((one) => one.standard(claim.id, nowSeconds, body)).join(' ');
  }

  private async token(
    { id: deliveryId, subscriptionId, targetUrl, event }: ClaimedDelivery,
    { signature: { alg, ttlSeconds } }: SubscriptionSettings,
    { current }: Signers,
    nowSeconds: number,
    body: string,
  ): Promise<string> {
    const { issuer } = this.settings;
    const subject = { issuer, subscriptionId, targetUrl, deliveryId, event, body };
    return this.jwt.sign(alg, webhookJwtClaims(subject, nowSeconds, ttlSeconds), current.key);
  }
}
