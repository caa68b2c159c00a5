import { describe, expect, it } from '@jest/globals';

import { pemPair } from '../../../test/support/pem-pair.js';
import {
  boolean,
  cidrs,
  decimal,
  encryptionKeys,
  headerValue,
  keySetUrl,
  oneOf,
  origins,
  publicKeyPem,
  text,
  urlOf,
  wholeNumber,
  type Parsed,
} from './parsers.js';

const { publicKey: PEM, privateKey: PRIVATE_PEM } = pemPair.ed25519();
const P256_PEM = pemPair.ec('P-256').publicKey;
const RSA_PEM = pemPair.rsa(2_048).publicKey;
/** Keys of no algorithm that we verify, or too weak for one. */
const OTHER_PEMS = [
  pemPair.ec('P-384'),
  pemPair.ec('secp256k1'),
  pemPair.rsa(1_024),
  pemPair.ed448(),
  pemPair.x25519(),
].map(({ publicKey }) => publicKey);
const KEY = Buffer.alloc(32, 7).toString('base64');

type Case = readonly [name: string, parse: (text: string) => Parsed<unknown>, text: string, value: unknown];

describe('parsers take', () => {
  it.each<Case>([
    ['wholeNumber', wholeNumber(0, 65_535), '0', 0],
    ['wholeNumber', wholeNumber(0, 65_535), '65535', 65_535],
    ['decimal', decimal(0.1, 300), '0.1', 0.1],
    ['decimal', decimal(0.1, 300), '300', 300],
    ['oneOf', oneOf('all', 'api'), 'API', 'api'],
    ...['true', 'TRUE', '1', 'yes', 'on'].map((word): Case => ['boolean', boolean, word, true]),
    ...['false', '0', 'No', 'off'].map((word): Case => ['boolean', boolean, word, false]),
    ['urlOf', urlOf('redis:', 'rediss:'), 'rediss://:pw@cache:6380/1', 'rediss://:pw@cache:6380/1'],
    ['text', text(8, 'x'), '12345678', '12345678'],
    ['headerValue', headerValue, 'Acme Hooks/1.0 (+https://acme.com)', 'Acme Hooks/1.0 (+https://acme.com)'],
    ['headerValue', headerValue, 'x', 'x'],
    ['publicKeyPem', publicKeyPem, PEM, PEM],
    ['publicKeyPem in one line', publicKeyPem, PEM.replaceAll('\n', '\\n'), PEM],
    ['publicKeyPem', publicKeyPem, P256_PEM, P256_PEM],
    ['publicKeyPem', publicKeyPem, RSA_PEM, RSA_PEM],
    ...['https://id.erp/keys', 'http://localhost:9000/keys', 'http://127.0.0.1/k', 'http://[::1]:1/k'].map(
      (url): Case => ['keySetUrl', keySetUrl, url, url],
    ),
    ['cidrs', cidrs, '10.1.0.0/16, fd12::/48', ['10.1.0.0/16', 'fd12::/48']],
    [
      'cidrs',
      cidrs,
      '192.168.0.0/16,100.64.0.0/10,172.31.255.255/32',
      ['192.168.0.0/16', '100.64.0.0/10', '172.31.255.255/32'],
    ],
    ['origins', origins, 'https://a.com, http://localhost:3000', ['https://a.com', 'http://localhost:3000']],
    ['origins', origins, '*', ['*']],
    [
      'encryptionKeys',
      encryptionKeys,
      `k2:${KEY},k1:${KEY}`,
      [
        { kid: 'k2', key: Buffer.alloc(32, 7) },
        { kid: 'k1', key: Buffer.alloc(32, 7) },
      ],
    ],
  ])('%s %# %j', (_name, parse, given, value) => {
    expect(parse(given)).toEqual({ ok: true, value });
  });
});

describe('parsers refuse, and say what they expected', () => {
  it.each<readonly [string, (text: string) => Parsed<unknown>, readonly string[], RegExp]>([
    [
      'wholeNumber',
      wholeNumber(1, 10),
      ['0', '11', '-1', '1.5', '1e1', '0x5', '٣', ''],
      /^a whole number from 1 to 10$/,
    ],
    [
      'decimal',
      decimal(0.1, 300),
      ['0', '301', '-1', 'Infinity', 'NaN', '1e2', '1,5'],
      /^a number from 0.1 to 300$/,
    ],
    ['oneOf', oneOf('all', 'api'), ['', 'any', 'api '], /^one of all, api$/],
    ['boolean', boolean, ['', '2', 'y', 'enabled'], /^true or false$/],
    [
      'urlOf',
      urlOf('redis:'),
      ['cache:6379', 'http://cache', 'redis://', '//cache', ''],
      /^a URL starting with redis:\/\/$/,
    ],
    ['text', text(4, 'four or more'), ['abc', 'abcd\n', 'ab\0cd'], /^four or more$/],
    ['headerValue', headerValue, ['', ' x', 'x ', 'a\r\nb', 'é', 'x'.repeat(201)], /printable ASCII/],
    [
      'publicKeyPem',
      publicKeyPem,
      OTHER_PEMS,
      /RSA of 2048 bits or more, P-256 or Ed25519; it is of another kind$/,
    ],
    [
      'keySetUrl',
      keySetUrl,
      ['http://id.erp/keys', 'http://127.0.0.1.erp/', 'http://10.0.0.1/k', 'ftp://localhost/k', 'id.erp', ''],
      /^a URL starting with https:\/\/, or http:\/\/ on this machine$/,
    ],
    [
      'publicKeyPem',
      publicKeyPem,
      ['', 'key', PRIVATE_PEM, PEM.replace(/MC/, 'xx'), PEM.slice(0, 60)],
      /^a public key in PEM form/,
    ],
    [
      'cidrs',
      cidrs,
      ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/8', '300.0.0.0/8', 'fd12::/129', '10.0.0.0/', 'fd12::%eth0/64'],
      /^networks such as/,
    ],
    // Public, loopback, metadata, or wider than what is private.
    [
      'cidrs',
      cidrs,
      [
        '8.8.8.0/24',
        '0.0.0.0/0',
        '127.0.0.0/8',
        '169.254.169.254/32',
        '10.0.0.0/7',
        '::/0',
        '2000::/3',
        '::ffff:10.0.0.0/104',
      ],
      /inside 10\/8/,
    ],
    [
      'origins',
      origins,
      ['acme.com', 'https://a.com/', 'https://a.com/x', 'https://A.com'],
      /^origins such as/,
    ],
    [
      'encryptionKeys',
      encryptionKeys,
      ['', KEY, 'k1:', 'k1:c2hvcnQ=', `k1:${KEY},k1:${KEY}`, `k 1:${KEY}`, `k1:${KEY};k2:${KEY}`],
      /^kid:base64 of 32 bytes/,
    ],
  ])('%s', (_name, parse, refused, expected) => {
    for (const given of refused) {
      const parsed = parse(given);
      expect({ given, parsed }).toEqual({
        given,
        parsed: { ok: false, expected: expect.stringMatching(expected) },
      });
    }
  });
});
