import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { classifyAddress, parseEgressAllowCidrs } from './address-classes.js';

const v4 = fc
  .integer({ min: 0, max: 0xff_ff_ff_ff })
  .map((n) => [24, 16, 8, 0].map((s) => (n >>> s) & 255).join('.'));
const v6 = fc
  .tuple(
    fc.constantFrom(
      '0',
      '64',
      '100',
      '2001',
      '2002',
      '2620',
      '2606',
      '3fff',
      '3ffe',
      '4000',
      '5f00',
      'fc00',
      'fe80',
      'ff02',
    ),
    fc.array(
      fc.constantFrom(
        '0',
        '1',
        'db8',
        'ff9b',
        'ffff',
        '20',
        '2',
        '4f',
        '112',
        '8000',
        '7f00',
        'a9fe',
        '1ff',
        '200',
      ),
      {
        minLength: 7,
        maxLength: 7,
      },
    ),
  )
  .map(([first, rest]) => [first, ...rest].join(':'));

describe('classifyAddress', () => {
  it('refuses whatever ipaddr.js does not call unicast', () => {
    const ours = fc.property(fc.oneof(v4, v6, fc.ipV4(), fc.ipV6()), (ip) => {
      if (ipaddr.parse(ip).range() === 'unicast') return true;
      return classifyAddress(ip, null) !== null;
    });
    fc.assert(ours, { numRuns: 20_000 });
  });

  it.each([
    ['0.255.255.255', 'this-network'],
    ['1.0.0.0', null],
    ['9.255.255.255', null],
    ['10.255.255.255', 'private'],
    ['100.64.0.0', 'cgnat'],
    ['100.128.0.0', null],
    ['126.255.255.255', null],
    ['127.255.255.255', 'loopback'],
    ['168.63.129.16', 'azure-host-agent'],
    ['168.63.129.17', null],
    ['169.254.0.0', 'link-local/metadata'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', null],
    ['192.0.0.255', 'ietf-protocol'],
    ['192.0.1.0', null],
    ['192.52.193.1', 'amt'],
    ['198.19.255.255', 'benchmark'],
    ['223.255.255.255', null],
    ['224.0.0.0', 'multicast'],
    ['255.255.255.255', 'reserved/broadcast'],
    ['::127.0.0.1', 'outside-2000::/3'],
    ['::169.254.169.254', 'outside-2000::/3'],
    ['1fff:ffff::', 'outside-2000::/3'],
    ['2000::', null],
    ['2001:1ff:ffff::1', 'ietf-protocol(teredo,orchid,benchmark)'],
    ['2001:200::1', null],
    ['2606:4700::1111', null],
    ['4000::1', 'outside-2000::/3'],
    ['::ffff:8.8.8.8', 'ipv4-mapped'],
    ['::FFFF:127.0.0.1', 'ipv4-mapped'],
    ['fe80::1%eth0', 'outside-2000::/3'],
    ['2606:4700::1%eth0', 'outside-2000::/3'],
    ['not an ip', 'not-an-address'],
    ['', 'not-an-address'],
  ])('%s is %s', (ip, name) => expect(classifyAddress(ip, null)).toBe(name));
});

describe('parseEgressAllowCidrs', () => {
  it('opens what is named and nothing beside it', () => {
    const allow = parseEgressAllowCidrs(['10.20.0.0/16', 'fd12::/48']);
    expect(classifyAddress('10.20.255.255', allow)).toBeNull();
    expect(classifyAddress('10.21.0.0', allow)).toBe('private');
    expect(classifyAddress('fd12::1', allow)).toBeNull();
    expect(classifyAddress('fd13::1', allow)).toBe('outside-2000::/3');
    expect(classifyAddress('127.0.0.1', allow)).toBe('loopback');
  });

  it('does not open the mapped form of what it opens', () => {
    expect(classifyAddress('::ffff:10.20.0.1', parseEgressAllowCidrs(['10.20.0.0/16']))).toBe('ipv4-mapped');
  });

  it('is null without entries', () => expect(parseEgressAllowCidrs([])).toBeNull());

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8x', 'fd00::/129', 'nonsense/8', ''])(
    'refuses %j',
    (cidr) => {
      expect(() => parseEgressAllowCidrs([cidr])).toThrow('is not a CIDR');
    },
  );

  it.each([
    '0.0.0.0/0',
    '8.0.0.0/6',
    '10.0.0.0/7',
    '127.0.0.0/8',
    '169.254.169.254/32',
    '::/0',
    '::1/128',
    'fe80::/10',
  ])('refuses to open %s', (cidr) =>
    expect(() => parseEgressAllowCidrs([cidr])).toThrow('not inside a private range'),
  );
});
