import { Injectable } from '@nestjs/common';

import { BoundedCache } from '../../../platform/kernel/bounded-cache.js';
import { KEPT_VALUE } from '../domain/custom-headers.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { echoesOf } from '../domain/kept-answer.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import { SecretVault } from './ports/secret-vault.js';
import { openHeaders, type HeaderValues } from './sealed-header-values.js';

/** Sealed records whose content is remembered. */
const CAPACITY = 10_000;

const NONE: HeaderValues = new Map();

/** The headers that a subscription adds to a request. */
export interface AddedHeaders {
  readonly sent: Readonly<Record<string, string>>;
  /** The same as they may be kept in the log. */
  readonly logged: Readonly<Record<string, string>>;
  /** What must not be kept of an answer. */
  readonly secrets: readonly string[];
}

/** Opens the secret headers of a subscription once, not for every attempt: changed ones have another sealed text. */
@Injectable()
export class HeaderCache {
  private readonly opened = new BoundedCache<string, HeaderValues>(CAPACITY);

  constructor(private readonly vault: SecretVault) {}

  /** @throws SecretUnreadableError when they cannot be opened with the configured keys. */
  of(claim: ClaimedDelivery, { headers, sealedHeaders }: SubscriptionSettings): AddedHeaders | null {
    if (headers.length === 0) return null;
    const secret = sealedHeaders === null ? NONE : this.secretOf(claim, sealedHeaders);
    return {
      sent: Object.fromEntries(
        headers.map(({ name, value }) => [name, value ?? secret.get(name.toLowerCase()) ?? '']),
      ),
      logged: Object.fromEntries(headers.map(({ name, value }) => [name, value ?? KEPT_VALUE])),
      secrets: [...secret.values()].flatMap(echoesOf),
    };
  }

  private secretOf(claim: ClaimedDelivery, sealed: string): HeaderValues {
    return this.opened.get(sealed) ?? this.opened.set(sealed, openHeaders(this.vault, sealed, claim));
  }
}
