import { createHash, randomBytes } from 'node:crypto';

import { SecretText } from '../../../platform/kernel/secret-text.js';

/** Bytes of the link's token: it lives for a minute, and there is one try for each request. */
const LINK_BYTES = 16;
const SESSION_BYTES = 32;

export function newLinkToken(): SecretText {
  return new SecretText(randomBytes(LINK_BYTES).toString('base64url'));
}

export function newSessionToken(): SecretText {
  return new SecretText(randomBytes(SESSION_BYTES).toString('base64url'));
}

/** As it is stored. Tokens are random bytes: there is nothing to guess, so one round is enough and no salt is needed. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
