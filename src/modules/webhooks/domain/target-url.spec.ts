import { domainToUnicode } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { checkTargetUrl, type TargetUrlRules } from './target-url.js';

/** Stands in for the real classes, which have their own tests; the corpus runs over both together beside the policy. */
const CLASSES: Readonly<Record<string, string>> = {
  '127.0.0.1': 'loopback',
  '10.0.0.1': 'private',
  '::ffff:808:808': 'ipv4-mapped',
  '::ffff:7f00:1': 'ipv4-mapped',
  '4000::1': 'outside-2000::/3',
};

function rules(change: Partial<TargetUrlRules> = {}): TargetUrlRules {
  return {
    insecure: 'false',
    ownHosts: [],
    classifyAddress: (ip) => CLASSES[ip] ?? null,
    unicodeHostOf: domainToUnicode,
    ...change,
  };
}

function codeOf(raw: string, change: Partial<TargetUrlRules> = {}): string | null {
  const verdict = checkTargetUrl(raw, rules(change));
  return verdict.ok ? null : verdict.code;
}

function messageOf(raw: string, change: Partial<TargetUrlRules> = {}): string | null {
  const verdict = checkTargetUrl(raw, rules(change));
  return verdict.ok ? null : verdict.message;
}

describe('checkTargetUrl', () => {
  it.each([
    ['http://example.com/', 'scheme'],
    ['http://user@example.com/', 'scheme'],
    ['example.com/hook', 'unparseable'],
    ['https:/example.com/hook', 'no-double-slash'],
    ['https:///example.com/hook', 'empty-authority'],
    ['https://:@example.com/', 'credentials'],
    ['https://example.com/?a#', 'fragment'],
    ['https://ex%61mple.com/', 'encoded-host'],
    ['https://example.com\u200b/', 'control-or-space-or-backslash'],
    ['https://example.com/\ufe0f', 'control-or-space-or-backslash'],
    ['https://example.com/\u202egpj', 'control-or-space-or-backslash'],
    ['https://example.com/\u2800', 'control-or-space-or-backslash'],
    ['https://example.com/\u3164', 'control-or-space-or-backslash'],
    ['https://example.com/\ud800', 'control-or-space-or-backslash'],
    ['https://example.com/hook ', 'control-or-space-or-backslash'],
    ['https://my_host.example.com/', 'host-charset'],
    ['https://example-.com/', 'host-charset'],
    ['https://ex!ample.com/', 'host-charset'],
    ['https://localhost./', 'single-label'],
    ['https://a.b.svc.cluster.local./', 'special-suffix'],
    ['https://METADATA.GOOGLE.INTERNAL/', 'special-suffix'],
    ['https://foo.home.arpa/', 'special-suffix'],
    ['https://x.onion/', 'special-suffix'],
    ['https://[::ffff:8.8.8.8]/', 'ip:ipv4-mapped'],
    ['https://[4000::1]/', 'ip:outside-2000::/3'],
    ['https://example.com:80/', 'port'],
    ['https://example.com:1023/', 'port'],
    ['https://example.com:5432/', 'port'],
    ['https://example.com:11211/', 'port'],
    ['https://127.0.0.1:6379/', 'ip:loopback'],
  ])('refuses %j as %s', (url, code) => expect(codeOf(url)).toBe(code));

  it.each([
    'https://example.com./hook',
    'https://example.com:1025/',
    'https://example.com:8080/',
    'https://example.com:8443/',
    'https://example.com:65535/',
    'https://xn--mnchen-3ya.de/',
    'https://notlocalhost.com/',
    'https://mylocal.host/',
    'https://example.com/%00',
    `https://${'a'.repeat(63)}.com/`,
  ])('accepts %j', (url) => expect(codeOf(url)).toBeNull());

  it('counts the length of the text as it was given', () => {
    const prefix = 'https://example.com/';
    expect(codeOf(prefix + 'a'.repeat(2048 - prefix.length))).toBeNull();
    expect(codeOf(prefix + 'a'.repeat(2049 - prefix.length))).toBe('too-long');
    // As it is called: nine bytes for each of these.
    expect(codeOf(prefix + '字'.repeat(200))).toBeNull();
    expect(codeOf(prefix + '字'.repeat(300))).toBe('too-long');
  });

  it('refuses names over 253 characters', () => {
    const name = Array.from({ length: 4 }, () => 'a'.repeat(63)).join('.');
    expect(codeOf(`https://${name}.com/`)).toBe('label');
  });

  it.each([
    ['http://example.com/', 'URL must use HTTPS protocol'],
    ['ftp://example.com/', 'URL must use HTTPS protocol'],
    ['https://u:p@example.com/', 'URL must not contain credentials'],
    ['https://example.com:6379/', 'URL port 6379 is not allowed'],
    ['https://127.0.0.1/', 'URL host is a private address (loopback)'],
    ['https://a.internal/', 'URL host ends in a reserved name (.internal)'],
  ])('explains %j to people', (url, message) => expect(messageOf(url)).toBe(message));

  it.each([
    ['https://hooks.example.com/in', ['hooks.example.com'], 'own-host'],
    ['https://HOOKS.example.com.:8443/', ['hooks.example.com'], 'own-host'],
    ['https://hooks.example.com/', ['Hooks.example.com:443'], 'own-host'],
    ['https://hooks.example.com:8443/', ['hooks.example.com:443'], null],
    ['https://other.example.com/', ['hooks.example.com'], null],
  ])('%j with own hosts %j: %s', (url, ownHosts, code) => expect(codeOf(url, { ownHosts })).toBe(code));
});

describe('insecure: loopback', () => {
  it.each([
    'http://localhost:8888/hook',
    'https://localhost:8888/',
    'http://LOCALHOST:1024/',
    'http://127.0.0.1:3000/',
    'http://127.9.9.9:3000/',
    'http://[::1]:8080/',
    'http://localhost:6379/',
    'https://example.com/',
  ])('accepts %j', (url) => expect(codeOf(url, { insecure: 'loopback' })).toBeNull());

  it.each([
    ['http://localhost/', 'port'],
    ['https://localhost/', 'port'],
    ['http://localhost:1023/', 'port'],
    ['http://example.com:8080/', 'scheme'],
    ['http://10.0.0.1:8080/', 'scheme'],
    ['https://10.0.0.1:8080/', 'ip:private'],
    ['http://localhost.evil.com:8080/', 'scheme'],
    ['http://127.1:8080/', 'scheme'],
    ['https://127.1:8080/', 'obfuscated-ip'],
    ['https://ⓛocalhost:8080/', 'single-label'],
    ['http://localhost.:8080/', 'scheme'],
    ['http://user@localhost:8080/', 'credentials'],
    ['http://@localhost:8080/', 'credentials'],
    ['http://localhost:8080/#x', 'fragment'],
    ['http://localhost:8080/\t', 'control-or-space-or-backslash'],
    ['http://%6cocalhost:8080/', 'scheme'],
    ['https://[::ffff:127.0.0.1]:8080/', 'ip:ipv4-mapped'],
    ['https://example.com:6379/', 'port'],
    ['ftp://localhost:8080/', 'scheme'],
  ])('refuses %j as %s', (url, code) => expect(codeOf(url, { insecure: 'loopback' })).toBe(code));
});

describe('insecure: true', () => {
  it.each([
    'http://receiver:8080/hook',
    'http://my_service:80/',
    'http://10.0.0.1/',
    'https://[::1]:6379/',
    'http://a.internal:1/',
    'https://example.com:65535/',
  ])('accepts %j', (url) => expect(codeOf(url, { insecure: 'true' })).toBeNull());

  it.each([
    ['http://receiver:0/', 'port'],
    ['ftp://receiver/', 'scheme'],
    ['http://u@receiver/', 'credentials'],
    ['http:receiver/', 'no-double-slash'],
    ['http://receiver/#', 'fragment'],
    ['http://127.1/', 'obfuscated-ip'],
    ['http://rec%65iver/', 'encoded-host'],
    ['http://receiver\\x/', 'control-or-space-or-backslash'],
    ['http://a..b/', 'label'],
  ])('refuses %j as %s', (url, code) => expect(codeOf(url, { insecure: 'true' })).toBe(code));
});
