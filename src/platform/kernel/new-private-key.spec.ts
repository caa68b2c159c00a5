import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { newPrivateKey } from './new-private-key.js';

/** Keys that a process makes and exports while the memory for new objects is collected all the time. */
const KEYS = 4_000;

describe('newPrivateKey', () => {
  it.each(['ed25519', 'P-256'] as const)('makes a %s key that exports as JWK', (type) => {
    const key = newPrivateKey(type);
    expect(key.export({ format: 'jwk' })).toMatchObject({ crv: type === 'P-256' ? type : 'Ed25519' });
    expect(createPublicKey(key).export({ format: 'jwk' }).d).toBeUndefined();
  });

  // Red (it never ends, and is killed) with the key object of generateKeyPairSync, on Node 20.
  it('never stands still while garbage is collected', async () => {
    const program = `${newPrivateKey.toString()}
      import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
      for (let n = 0; n < ${KEYS}; n += 1) {
        const key = newPrivateKey('ed25519');
        createPublicKey(key).export({ format: 'jwk' });
        key.export({ format: 'jwk' });
      }
      console.log('all made');`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--max-semi-space-size=1', '--input-type=module', '--eval', program],
      { timeout: 60_000, killSignal: 'SIGKILL' },
    );
    expect(stdout).toBe('all made\n');
  }, 90_000);
});
