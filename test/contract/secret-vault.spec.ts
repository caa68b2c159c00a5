import { randomBytes } from 'node:crypto';
import { AesGcmSecretVault } from '../../src/modules/webhooks/infrastructure/crypto/aes-gcm-secret-vault.js';
import { InMemorySecretVault } from '../../src/modules/webhooks/testing/in-memory-secret-vault.js';
import { secretVaultContract } from './secret-vault.contract.js';

secretVaultContract('AesGcmSecretVault', () => new AesGcmSecretVault([{ kid: 'k1', key: randomBytes(32) }]));
secretVaultContract('InMemorySecretVault', () => new InMemorySecretVault());
