import { createPublicKey, type KeyObject } from 'node:crypto';
import { BlockList, isIP } from 'node:net';

/** A value that was read, or what was expected instead of it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string };

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (expected: string): Parsed<never> => ({ ok: false, expected });

export function wholeNumber(min: number, max: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = Number(text);
    const fits = /^\d+$/.test(text) && value >= min && value <= max;
    return fits ? good(value) : bad(`a whole number from ${min} to ${max}`);
  };
}

export function decimal(min: number, max: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = Number(text);
    const fits = /^\d+(\.\d+)?$/.test(text) && value >= min && value <= max;
    return fits ? good(value) : bad(`a number from ${min} to ${max}`);
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): (text: string) => Parsed<T> {
  return (text) => {
    const found = values.find((value) => value === text.toLowerCase());
    return found === undefined ? bad(`one of ${values.join(', ')}`) : good(found);
  };
}

export function boolean(text: string): Parsed<boolean> {
  if (/^(true|1|yes|on)$/i.test(text)) return good(true);
  return /^(false|0|no|off)$/i.test(text) ? good(false) : bad('true or false');
}

export function urlOf(...protocols: readonly string[]): (text: string) => Parsed<string> {
  return (text) => {
    const fits =
      URL.canParse(text) && protocols.includes(new URL(text).protocol) && new URL(text).hostname !== '';
    return fits ? good(text) : bad(`a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  };
}

export function text(min: number, what: string): (value: string) => Parsed<string> {
  return (value) => (value.length >= min && !/[\r\n\0]/.test(value) ? good(value) : bad(what));
}

export function headerValue(value: string): Parsed<string> {
  return /^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(value)
    ? good(value)
    : bad('1–200 printable ASCII characters');
}

export function publicKeyPem(value: string): Parsed<string> {
  // A PEM in one line, as .env files need it, has its line breaks written as \n.
  const pem = value.replaceAll('\\n', '\n');
  const expected =
    'a public key in PEM form (-----BEGIN PUBLIC KEY-----), RSA of 2048 bits or more, P-256 or Ed25519';
  if (!/^-----BEGIN PUBLIC KEY-----\n[\s\S]+-----END PUBLIC KEY-----\s*$/.test(pem)) return bad(expected);
  try {
    return verifiesTokens(createPublicKey(pem)) ? good(pem) : bad(`${expected}; it is of another kind`);
  } catch {
    return bad(`${expected}; what lies between its lines is no key`);
  }
}

/** The keys of RS256, ES256 and EdDSA. RSA below 2048 bits can be broken (RFC 7518 §3.3). */
function verifiesTokens({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2_048;
  return type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1');
}

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Keys fetched without encryption could be anybody's; on this machine, for development, nobody is in between. */
export function keySetUrl(text: string): Parsed<string> {
  const expected = 'a URL starting with https://, or http:// on this machine';
  if (!URL.canParse(text)) return bad(expected);
  const { protocol, hostname } = new URL(text);
  const fits =
    hostname !== '' && (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname)));
  return fits ? good(text) : bad(expected);
}

export function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Networks that somebody may own; naming any other as an exception would open the rest of the internet's inside. */
const PRIVATE_NETWORKS = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
] as const;

export function cidrs(text: string): Parsed<readonly string[]> {
  const items = list(text);
  return items.every(isPrivateCidr)
    ? good(items)
    : bad(
        'networks such as 10.1.0.0/16, comma separated, each inside 10/8, 172.16/12, 192.168/16, 100.64/10 or fc00::/7',
      );
}

function isPrivateCidr(item: string): boolean {
  const [address = '', prefixText = '', rest] = item.split('/');
  const version = isIP(address);
  const prefix = Number(prefixText);
  if (version === 0 || address.includes('%') || rest !== undefined || !/^\d{1,3}$/.test(prefixText))
    return false;
  return (
    prefix <= (version === 4 ? 32 : 128) &&
    PRIVATE_NETWORKS.some(
      ([network, length]) =>
        prefix >= length && isIP(network) === version && isWithin(address, network, length),
    )
  );
}

function isWithin(address: string, network: string, prefix: number): boolean {
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  range.addSubnet(network, prefix, family);
  return range.check(address, family);
}

/** As Node's resolver takes them: an address, or one with a port (IPv6 in brackets then). */
export function dnsServers(text: string): Parsed<readonly string[]> {
  const items = list(text);
  const fits = items.every((item) => {
    const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(item) ?? [];
    if (port === undefined) return isIP(item) !== 0;
    return (isIP(v6 ?? '') === 6 || isIP(v4 ?? '') === 4) && Number(port) >= 1 && Number(port) <= 65_535;
  });
  return fits ? good(items) : bad('addresses such as 10.0.0.53 or 127.0.0.1:5353, comma separated');
}

export function origins(text: string): Parsed<readonly string[]> {
  const items = list(text);
  const fits = items.every((item) => item === '*' || (URL.canParse(item) && new URL(item).origin === item));
  return fits ? good(items) : bad('origins such as https://erp.customer.com, comma separated, or *');
}

export interface EncryptionKey {
  /** Names the key in every record that it sealed. */
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

const KEYS = 'kid:base64 of 32 bytes, comma separated, the current key first, for instance k2:…=,k1:…=';

export function encryptionKeys(text: string): Parsed<readonly EncryptionKey[]> {
  const keys: EncryptionKey[] = [];
  for (const item of list(text)) {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/.exec(item);
    const [, kid, encoded] = match ?? [];
    if (kid === undefined || encoded === undefined || keys.some((known) => known.kid === kid))
      return bad(KEYS);
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== 32) return bad(KEYS);
    keys.push({ kid, key });
  }
  return keys.length === 0 ? bad(KEYS) : good(keys);
}
