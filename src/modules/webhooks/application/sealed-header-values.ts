import type { SecretVault } from './ports/secret-vault.js';

/** Values of secret headers by their names in small letters. */
export type HeaderValues = ReadonlyMap<string, string>;

/** What is sealed: pairs, so that no name can be mistaken for something else. */
export function sealedHeaderText(values: HeaderValues): string {
  return JSON.stringify([...values]);
}

/** @throws SecretUnreadableError */
export function openHeaders(
  vault: SecretVault,
  sealed: string,
  of: { readonly tenantId: string; readonly subscriptionId: string },
): HeaderValues {
  const { tenantId, subscriptionId } = of;
  const text = vault.open(sealed, { tenantId, subscriptionId, purpose: 'headers' }).reveal();
  return new Map(JSON.parse(text) as [string, string][]);
}
