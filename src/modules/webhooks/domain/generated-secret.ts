import { randomBytes } from 'node:crypto';

/** As many bits as HMAC-SHA256 can use; Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_BYTES = 32;

/** A new signing secret, `whsec_<base64 of 32 random bytes>`, which every Standard Webhooks library takes as it is. */
export function generateSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}
