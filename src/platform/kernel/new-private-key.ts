import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/**
 * A new private key, through its encoded form. A key object that `generateKeyPairSync` gives shares a lock with the job that
 * made it: Node 20 stands still for ever when that job is collected while the key is being exported.
 *
 * @example createPublicKey(newPrivateKey('ed25519')).export({ format: 'jwk' })
 */
export function newPrivateKey(type: 'ed25519' | 'P-256'): KeyObject {
  const publicKeyEncoding = { type: 'spki', format: 'der' } as const;
  const privateKeyEncoding = { type: 'pkcs8', format: 'der' } as const;
  const { privateKey } =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding })
      : generateKeyPairSync('ec', { namedCurve: type, publicKeyEncoding, privateKeyEncoding });
  return createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
}
