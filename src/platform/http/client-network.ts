/** Groups of an IPv6 address that its owner does not choose: whoever has one address has all of its /64. */
const NETWORK_GROUPS = 4;

/** Whom an address stands for: an IPv4 address for itself, one of IPv6 for its /64. */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [start = '', end] = address.split('%', 1).join('').split('::');
  const left = start === '' ? [] : start.split(':');
  const groups = end === undefined ? left : [...left, ...Array<string>(NETWORK_GROUPS).fill('0')];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
