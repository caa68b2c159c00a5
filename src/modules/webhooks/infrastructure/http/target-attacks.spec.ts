import { describe, expect, it } from '@jest/globals';

import { ConfiguredTargetPolicy } from './configured-target-policy.js';

const production = new ConfiguredTargetPolicy({
  allowInsecureTargets: 'false',
  egressAllowCidrs: ['10.20.0.0/16', 'fd12:3456::/48'],
  ownHosts: ['hooks.gestiqcloud.com'],
});

function codeOf(url: string): string | null {
  const verdict = production.check(url);
  return verdict.ok ? null : verdict.code;
}

/** What somebody who wants to reach the inside would try beyond the corpus; each class with the rule that stops it. */
describe('attacks on the target rule', () => {
  it.each([
    // IPv6 in every disguise
    ['https://[::]/', 'ip:outside-2000::/3'],
    ['https://[::1]/', 'ip:outside-2000::/3'],
    ['https://[0:0:0:0:0:0:0:1]/', 'ip:outside-2000::/3'],
    ['https://[::ffff:127.0.0.1]/', 'ip:ipv4-mapped'],
    ['https://[::ffff:7f00:1]/', 'ip:ipv4-mapped'],
    ['https://[0:0:0:0:0:ffff:a9fe:a9fe]/', 'ip:ipv4-mapped'],
    ['https://[::ffff:8.8.8.8]/', 'ip:ipv4-mapped'],
    ['https://[::ffff:10.20.0.1]/', 'ip:ipv4-mapped'],
    ['https://[::127.0.0.1]/', 'ip:outside-2000::/3'],
    ['https://[::169.254.169.254]/', 'ip:outside-2000::/3'],
    ['https://[::ffff:0:127.0.0.1]/', 'ip:outside-2000::/3'],
    ['https://[64:ff9b::7f00:1]/', 'ip:outside-2000::/3'],
    ['https://[64:ff9b::169.254.169.254]/', 'ip:outside-2000::/3'],
    ['https://[64:ff9b:1::10.0.0.1]/', 'ip:outside-2000::/3'],
    ['https://[2002:7f00:1::1]/', 'ip:6to4'],
    ['https://[2002:a9fe:a9fe::]/', 'ip:6to4'],
    ['https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', 'ip:ietf-protocol(teredo,orchid,benchmark)'],
    ['https://[2001:20::1]/', 'ip:ietf-protocol(teredo,orchid,benchmark)'],
    ['https://[2001:2::1]/', 'ip:ietf-protocol(teredo,orchid,benchmark)'],
    ['https://[fe80::1]/', 'ip:outside-2000::/3'],
    ['https://[fe80::a9fe:a9fe]/', 'ip:outside-2000::/3'],
    ['https://[fec0::1]/', 'ip:outside-2000::/3'],
    ['https://[fc00::1]/', 'ip:outside-2000::/3'],
    ['https://[fd00:ec2::254]/', 'ip:outside-2000::/3'],
    ['https://[fd12:3457::1]/', 'ip:outside-2000::/3'],
    ['https://[ff02::1]/', 'ip:outside-2000::/3'],
    ['https://[100::1]/', 'ip:outside-2000::/3'],
    ['https://[5f00::1]/', 'ip:outside-2000::/3'],
    ['https://[4000::1]/', 'ip:outside-2000::/3'],
    ['https://[2001:db8::1]/', 'ip:documentation'],
    ['https://[3fff::1]/', 'ip:documentation'],
    ['https://[3ffe::1]/', 'ip:6bone'],
    ['https://[fe80::1%eth0]/', 'unparseable'],
    ['https://[fe80::1%25eth0]/', 'unparseable'],
    ['https://[2606:4700::1111%25lo]/', 'unparseable'],
    ['https://[::1].example.com/', 'unparseable'],
    ['https://[[::1]]/', 'unparseable'],
    ['https://[0x7f.1]/', 'unparseable'],
    ['https://::1/', 'unparseable'],

    // IPv4 in every disguise
    ['https://127.1/', 'obfuscated-ip'],
    ['https://127.0.1/', 'obfuscated-ip'],
    ['https://0x7f.0.0.1/', 'obfuscated-ip'],
    ['https://0x7f000001/', 'obfuscated-ip'],
    ['https://017700000001/', 'obfuscated-ip'],
    ['https://0177.0.0.01/', 'obfuscated-ip'],
    ['https://2130706433/', 'obfuscated-ip'],
    ['https://00000127.0.0.1/', 'obfuscated-ip'],
    ['https://127.0.0.1./', 'obfuscated-ip'],
    ['https://0x08080808/', 'obfuscated-ip'],
    ['https://010.8.8.8/', 'obfuscated-ip'],
    ['https://0/', 'obfuscated-ip'],
    ['https://0x/', 'obfuscated-ip'],
    ['https://1.1.1.1.1/', 'unparseable'],
    ['https://-1.0.0.1/', 'unparseable'],
    ['https://1.2.3.4:443@127.0.0.1/', 'credentials'],
    ['https://127。0。0。1/', 'obfuscated-ip'],
    ['https://127．0．0．1/', 'obfuscated-ip'],
    ['https://127｡0｡0｡1/', 'obfuscated-ip'],
    ['https://①②⑦.⓪.⓪.①/', 'obfuscated-ip'],
    ['https://𝟏𝟐𝟕.𝟎.𝟎.𝟏/', 'obfuscated-ip'],
    ['https://¹²⁷.0.0.1/', 'obfuscated-ip'],
    ['https://169.254.169.254/', 'ip:link-local/metadata'],
    ['https://169.254.170.2/', 'ip:link-local/metadata'],
    ['https://100.100.100.200/', 'ip:cgnat'],
    ['https://168.63.129.16/', 'ip:azure-host-agent'],
    ['https://192.0.0.192/', 'ip:ietf-protocol'],
    ['https://192.88.99.1/', 'ip:6to4-relay'],
    ['https://198.19.255.255/', 'ip:benchmark'],
    ['https://203.0.113.7/', 'ip:documentation'],
    ['https://224.0.0.251/', 'ip:multicast'],
    ['https://240.0.0.1/', 'ip:reserved/broadcast'],
    ['https://255.255.255.255/', 'ip:reserved/broadcast'],
    ['https://0.0.0.0/', 'ip:this-network'],
    ['https://0.1.2.3/', 'ip:this-network'],
    ['https://10.21.0.1/', 'ip:private'],
    ['https://172.31.255.255/', 'ip:private'],

    // names that mean the inside
    ['https://localhost/', 'single-label'],
    ['https://localhost./', 'single-label'],
    ['https://LOCALHOST%2E/', 'encoded-host'],
    ['https://foo.localhost/', 'special-suffix'],
    ['https://foo.localhost./', 'special-suffix'],
    ['https://localhost.localdomain./', 'special-suffix'],
    ['https://Metadata.Google.Internal/', 'special-suffix'],
    ['https://metadata.google.internal./computeMetadata/v1/', 'special-suffix'],
    ['https://metadata。google。internal/', 'special-suffix'],
    ['https://instance-data.ec2.internal/', 'special-suffix'],
    ['https://ip-10-0-0-1.eu-west-1.compute.internal/', 'special-suffix'],
    ['https://kubernetes.default.svc.cluster.local/', 'special-suffix'],
    ['https://vault.service.consul/', 'special-suffix'],
    ['https://gateway.docker.internal/', 'special-suffix'],
    ['https://router.home.arpa/', 'special-suffix'],
    ['https://fritz.lan/', 'special-suffix'],
    ['https://hidden.onion/', 'special-suffix'],
    ['https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/', 'single-label'],
    ['https://foo.ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/', 'special-suffix'],
    ['https://foo.ｌｏｃａｌｈｏｓｔ/', 'special-suffix'],
    ['https://foo.loc\u200dalhost/', 'control-or-space-or-backslash'],
    ['https://foo.lo\u00adcalhost/', 'control-or-space-or-backslash'],
    ['https://foo.xn--localhost/', 'unparseable'],
    ['https://xn--localhost-/', 'host-charset'],
    ['https://com/', 'single-label'],
    ['https://com./', 'single-label'],
    ['https://./', 'label'],
    ['https://../', 'label'],
    ['https://.example.com/', 'label'],
    ['https://example..com/', 'label'],
    ['https://example.com../', 'label'],

    // what one parser reads otherwise than another
    ['https://example.com\\.127.0.0.1/', 'control-or-space-or-backslash'],
    ['https:\\\\127.0.0.1/', 'control-or-space-or-backslash'],
    ['https://example.com\t/', 'control-or-space-or-backslash'],
    ['ht\ntps://example.com/', 'control-or-space-or-backslash'],
    ['https://example.com/\u007f', 'control-or-space-or-backslash'],
    ['\ufeffhttps://example.com/', 'control-or-space-or-backslash'],
    ['https://example.com%2f@127.0.0.1/', 'credentials'],
    ['https://example.com%2f.evil.com/', 'unparseable'],
    ['https://example.com%23@127.0.0.1/', 'credentials'],
    ['https://example.com%3a443/', 'unparseable'],
    ['https://%6c%6f%63%61%6c%68%6f%73%74/', 'encoded-host'],
    ['https://%31%32%37.0.0.1/', 'encoded-host'],
    ['https://a:b@example.com/', 'credentials'],
    ['https://a@b@example.com/', 'credentials'],
    ['https://@@example.com/', 'credentials'],
    ['https://example.com:@127.0.0.1/', 'credentials'],
    ['https://example.com/#', 'fragment'],
    ['https:example.com/', 'no-double-slash'],
    ['https:/example.com/', 'no-double-slash'],
    ['https:///example.com/', 'empty-authority'],
    ['https://[example.com]/', 'unparseable'],
    ['https://exa{mple}.com/', 'host-charset'],
    ['https://exa$mple.com/', 'host-charset'],
    ["https://exa'mple.com/", 'host-charset'],
    ['https://exa*mple.com/', 'host-charset'],
    ['https://exa|mple.com/', 'unparseable'],
    ['https://exa<mple.com/', 'unparseable'],

    // ports
    ['https://example.com:0/', 'port'],
    ['https://example.com:1/', 'port'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:25/', 'port'],
    ['https://example.com:00080/', 'port'],
    ['https://example.com:06379/', 'port'],
    ['https://example.com:65536/', 'unparseable'],
    ['https://example.com:-1/', 'unparseable'],
    ['https://example.com:+443/', 'unparseable'],
    ['https://example.com:443443/', 'unparseable'],
    ['https://example.com:４４３/', 'unparseable'],
    ['https://example.com:443:8443/', 'unparseable'],

    // other schemes
    ...['http', 'ftp', 'file', 'gopher', 'ldap', 'wss', 'data', 'jar:https', 'view-source:https'].map(
      (scheme) => [`${scheme}://example.com/`, 'scheme'] as const,
    ),

    // loops to this service
    ['https://hooks.gestiqcloud.com/api/v1/tenant/webhooks/deliveries', 'own-host'],
    ['https://HOOKS.gestiqcloud.com./', 'own-host'],
    ['https://hooks.gestiqcloud.com:8443/', 'own-host'],
    ['https://hooks。gestiqcloud。com/', 'own-host'],
    ['https://ｈooks.gestiqcloud.com/', 'own-host'],
  ])('refuses %j as %s', (url, code) => {
    expect(codeOf(url)).toBe(code);
  });

  it.each([
    'https://10.20.255.255/',
    'https://[fd12:3456::1]/',
    'https://[fd12:3456:0:ffff::1]:8443/',
    'https://example.com:65535/',
    'https://hooks.gestiqcloud.com.evil.com/',
    'https://xn--80ak6aa92e.com/',
    'https://localhost.example.com/',
    'https://127.0.0.1.example.com/',
    'https://metadata.google.internal.example.com/',
  ])('leaves what is fine alone: %s', (url) => {
    expect(codeOf(url)).toBeNull();
  });

  it('never names the address in what a tenant reads, but its class', () => {
    const verdict = production.check('https://2852039166/');
    expect(JSON.stringify(verdict)).not.toContain('169.254');
  });
});
