import { generateKeyPairSync } from 'node:crypto';

const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;

/**
 * Key pairs in PEM form, of the kinds that `newPrivateKey` does not make as well. Through their encoded form, for the reason
 * that is given there.
 */
export const pemPair = {
  rsa: (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength, publicKeyEncoding, privateKeyEncoding }),
  ec: (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve, publicKeyEncoding, privateKeyEncoding }),
  ed25519: () => generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }),
  ed448: () => generateKeyPairSync('ed448', { publicKeyEncoding, privateKeyEncoding }),
  x25519: () => generateKeyPairSync('x25519', { publicKeyEncoding, privateKeyEncoding }),
};
