import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfiguredTargetPolicy, type TargetPolicyOptions } from './configured-target-policy.js';

interface CorpusCase {
  url: string;
  verdict: 'accept' | 'reject';
  stage: 'parse' | 'dns' | 'rebind' | 'redirect';
  code: string | null;
  why: string;
  whatwg: string | null;
  resolves?: string[];
  resolvesSequence?: string[][];
}

const corpus = JSON.parse(readFileSync('test/corpus/target-urls.json', 'utf8')) as CorpusCase[];

function policyOf(options: Partial<TargetPolicyOptions> = {}): ConfiguredTargetPolicy {
  return new ConfiguredTargetPolicy({
    allowInsecureTargets: 'false',
    egressAllowCidrs: [],
    ownHosts: [],
    ...options,
  });
}

const production = policyOf();

function firstRefused(addresses: readonly string[]): string | null {
  return addresses.map((ip) => production.refusedClassOf(ip)).find((name) => name !== null) ?? null;
}

describe('the corpus of target URLs', () => {
  it('holds every case', () => expect(corpus).toHaveLength(206));

  it.each(corpus.filter(({ stage }) => stage === 'parse'))(
    '$why: $code',
    ({ url, code, verdict, whatwg }) => {
      const result = production.check(url);
      expect(result.ok ? null : result.code).toBe(code);
      expect(result.ok).toBe(verdict === 'accept');
      if (result.ok) expect(result.text).toBe(whatwg);
    },
  );

  // A redirect's URL is harmless; that it is never followed is the sender's affair.
  it.each(corpus.filter(({ stage }) => stage !== 'parse'))('$stage, $why: the text passes', ({ url }) => {
    expect(production.check(url)).toEqual({ ok: true, text: url });
  });

  it.each(corpus.filter(({ stage }) => stage === 'dns'))('dns, $why: $code', ({ resolves = [], code }) => {
    expect(firstRefused(resolves)).toBe(code?.slice('dns:'.length) ?? null);
  });

  it.each(corpus.filter(({ stage }) => stage === 'rebind'))(
    'rebind, $why: $code',
    ({ resolvesSequence = [], code }) => {
      const [atRegistration = [], atDelivery = []] = resolvesSequence;
      expect(firstRefused(atRegistration)).toBeNull();
      expect(firstRefused(atDelivery)).toBe(code?.slice('rebind:'.length) ?? null);
    },
  );
});

describe('ConfiguredTargetPolicy', () => {
  it('says why, in the shape of the port', () => {
    expect(production.check('http://example.com')).toEqual({
      ok: false,
      code: 'scheme',
      message: 'URL must use HTTPS protocol',
    });
    expect(production.check('https://example.com')).toEqual({ ok: true, text: 'https://example.com/' });
  });

  it('opens the ranges that the operator named, in URLs and in answers', () => {
    const policy = policyOf({ egressAllowCidrs: ['10.1.0.0/16'] });
    expect(policy.check('https://10.1.2.3/')).toMatchObject({ ok: true });
    expect(policy.refusedClassOf('10.1.2.3')).toBeNull();
    expect(policy.check('https://10.2.0.1/')).toMatchObject({ code: 'ip:private' });
    expect(policy.check('http://10.1.2.3/')).toMatchObject({ code: 'scheme' });
  });

  it('keeps resolved loopback addresses refused in loopback mode', () => {
    expect(policyOf({ allowInsecureTargets: 'loopback' }).refusedClassOf('127.0.0.1')).toBe('loopback');
    expect(policyOf({ allowInsecureTargets: 'true' }).refusedClassOf('127.0.0.1')).toBeNull();
  });

  it('stops the boot on a bad CIDR', () => {
    expect(() => policyOf({ egressAllowCidrs: ['0.0.0.0/0'] })).toThrow(
      'WEBHOOK_EGRESS_ALLOW_CIDRS: "0.0.0.0/0"',
    );
  });

  it('refuses its own hosts in every mode', () => {
    for (const allowInsecureTargets of ['false', 'loopback', 'true'] as const) {
      const policy = policyOf({ allowInsecureTargets, ownHosts: ['hooks.own.com'] });
      expect(policy.check('https://hooks.own.com/x')).toMatchObject({ code: 'own-host' });
    }
  });
});
