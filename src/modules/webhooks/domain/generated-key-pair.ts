import { newPrivateKey } from '../../../platform/kernel/new-private-key.js';

export interface SigningKeyPair {
  /** `whsk_` and the base64 of seed and public key: for the vault alone. */
  readonly privateKey: string;
  /** `whpk_` and the base64 of the public key: what receivers verify `v1a` with. */
  readonly publicKey: string;
}

/** A new ed25519 pair in the texts of Standard Webhooks. */
export function generateKeyPair(): SigningKeyPair {
  const { d = '', x = '' } = newPrivateKey('ed25519').export({ format: 'jwk' });
  const publicBytes = Buffer.from(x, 'base64url');
  const privateBytes = Buffer.concat([Buffer.from(d, 'base64url'), publicBytes]);
  return {
    privateKey: `whsk_${privateBytes.toString('base64')}`,
    publicKey: `whpk_${publicBytes.toString('base64')}`,
  };
}
