import { BlockList, isIP } from 'node:net';

type Family = 'ipv4' | 'ipv6';

function subnets(family: Family, ...cidrs: string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

/** IANA's special-purpose registry for IPv4, and 168.63.129.16: Azure's host agent answers there on every machine. */
const IPV4_CLASSES: readonly (readonly [name: string, list: BlockList])[] = [
  ['private', subnets('ipv4', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')],
  ['loopback', subnets('ipv4', '127.0.0.0/8')],
  ['link-local/metadata', subnets('ipv4', '169.254.0.0/16')],
  ['cgnat', subnets('ipv4', '100.64.0.0/10')],
  ['this-network', subnets('ipv4', '0.0.0.0/8')],
  ['ietf-protocol', subnets('ipv4', '192.0.0.0/24')],
  ['documentation', subnets('ipv4', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24')],
  ['as112', subnets('ipv4', '192.31.196.0/24', '192.175.48.0/24')],
  ['amt', subnets('ipv4', '192.52.193.0/24')],
  ['6to4-relay', subnets('ipv4', '192.88.99.0/24')],
  ['benchmark', subnets('ipv4', '198.18.0.0/15')],
  ['azure-host-agent', subnets('ipv4', '168.63.129.16/32')],
  ['multicast', subnets('ipv4', '224.0.0.0/4')],
  ['reserved/broadcast', subnets('ipv4', '240.0.0.0/4')],
];

const IPV4_MAPPED = subnets('ipv6', '::ffff:0:0/96');
/** The only block that IANA gives out; everything else is special or unassigned, so it is refused by default. */
const GLOBAL_UNICAST = subnets('ipv6', '2000::/3');
const IPV6_CLASSES: readonly (readonly [name: string, list: BlockList])[] = [
  ['ietf-protocol(teredo,orchid,benchmark)', subnets('ipv6', '2001::/23')],
  ['documentation', subnets('ipv6', '2001:db8::/32', '3fff::/20')],
  ['6to4', subnets('ipv6', '2002::/16')],
  ['as112', subnets('ipv6', '2620:4f:8000::/48')],
  ['6bone', subnets('ipv6', '3ffe::/16')],
];

/** What an operator may open: ranges that are somebody's own network. Never loopback, metadata or multicast. */
const OPENABLE: Readonly<Record<Family, readonly (readonly [network: string, prefix: number])[]>> = {
  ipv4: [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['100.64.0.0', 10],
  ],
  ipv6: [['fc00::', 7]],
};

/**
 * The class of a special address, or null for a public one. Text that is not an IP address is `not-an-address`: a rule
 * that fails open would be worse than one that refuses.
 *
 * @param allowCidrs the operator's exceptions, from {@link parseEgressAllowCidrs}
 */
export function classifyAddress(ip: string, allowCidrs: BlockList | null): string | null {
  const version = isIP(ip);
  if (version === 0) return 'not-an-address';
  if (version === 4) {
    if (allowCidrs?.check(ip, 'ipv4')) return null;
    return IPV4_CLASSES.find(([, list]) => list.check(ip, 'ipv4'))?.[0] ?? null;
  }
  // Before the exceptions: BlockList matches a mapped address against IPv4 subnets as well.
  if (IPV4_MAPPED.check(ip, 'ipv6')) return 'ipv4-mapped';
  if (ip.includes('%')) return 'outside-2000::/3';
  if (allowCidrs?.check(ip, 'ipv6')) return null;
  if (!GLOBAL_UNICAST.check(ip, 'ipv6')) return 'outside-2000::/3';
  return IPV6_CLASSES.find(([, list]) => list.check(ip, 'ipv6'))?.[0] ?? null;
}

/**
 * Reads `WEBHOOK_EGRESS_ALLOW_CIDRS`; null when it is empty.
 *
 * @throws Error that names the entry when it is no CIDR or lies outside the private ranges, so that a mistake stops the
 * boot instead of opening (or silently not opening) something.
 */
export function parseEgressAllowCidrs(cidrs: readonly string[]): BlockList | null {
  if (cidrs.length === 0) return null;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefixText = ''] = cidr.split('/');
    const family: Family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    const prefix = Number(prefixText);
    const bits = family === 'ipv4' ? 32 : 128;
    if (isIP(network) === 0 || network.includes('%') || !/^\d{1,3}$/.test(prefixText) || prefix > bits) {
      throw new Error(
        `WEBHOOK_EGRESS_ALLOW_CIDRS: "${cidr}" is not a CIDR such as 10.20.0.0/16 or fd12::/48`,
      );
    }
    if (!isOpenable(network, prefix, family)) {
      throw new Error(
        `WEBHOOK_EGRESS_ALLOW_CIDRS: "${cidr}" is not inside a private range (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7)`,
      );
    }
    list.addSubnet(network, prefix, family);
  }
  return list;
}

function isOpenable(network: string, prefix: number, family: Family): boolean {
  return OPENABLE[family].some(([start, length]) => {
    if (prefix < length) return false;
    const range = new BlockList();
    range.addSubnet(start, length, family);
    return range.check(network, family);
  });
}
