import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ConfiguredTargetPolicy } from './configured-target-policy.js';
import { codeOf } from './failure-reasons.js';
import { BlockedTargetError, BudgetExceededError, DnsLookupError } from './send-errors.js';

/** One query waits this long, then once more for twice as long: within the default budget of 10 s with room to connect. */
const DNS_QUERY_TIMEOUT_MS = 1_500;
const DNS_QUERY_TRIES = 2;
/** Some name servers never answer for AAAA: a target is not to wait for them longer than for a slow answer. */
const SECOND_FAMILY_GRACE_MS = 250;
const LOCALHOST_ADDRESSES: readonly string[] = ['127.0.0.1', '::1'];

/**
 * Turns a target's host into addresses that may be dialled. Uses the DNS client directly: `dns.lookup` has four threads,
 * cannot be cancelled, and reads `/etc/hosts` and search domains, which name internal hosts.
 */
export class TargetResolver {
  readonly #policy: ConfiguredTargetPolicy;
  readonly #resolver: Resolver;

  /** @param dnsServers `ip` or `ip:port`; without it those of the system. */
  constructor(policy: ConfiguredTargetPolicy, dnsServers?: readonly string[]) {
    this.#policy = policy;
    this.#resolver = new Resolver({ timeout: DNS_QUERY_TIMEOUT_MS, tries: DNS_QUERY_TRIES });
    if (dnsServers) this.#resolver.setServers(dnsServers);
  }

  /**
   * All addresses of `hostname` (no brackets), IPv4 first; literals are checked too. One refused address refuses the
   * whole answer: a name that is half inside the network has no business here.
   *
   * @throws BlockedTargetError, DnsLookupError, BudgetExceededError (when `signal` aborts; a query that is under way then
   *   ends by its own timeout, because `cancel()` would take everybody else's queries along)
   */
  async resolve(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
    const isOwnMachine = this.#isOwnMachine(hostname);
    if (hostname === 'localhost' && isOwnMachine) return LOCALHOST_ADDRESSES;
    const addresses = isIP(hostname) === 0 ? await unlessAborted(this.#query(hostname), signal) : [hostname];
    if (isOwnMachine) return addresses;
    for (const address of addresses) {
      const refused = this.#policy.refusedClassOf(address);
      if (refused !== null) throw new BlockedTargetError(refused);
    }
    return addresses;
  }

  /** Only as literally written: a DNS name that resolves to loopback stays refused in `loopback` mode. */
  #isOwnMachine(hostname: string): boolean {
    if (this.#policy.mode === 'false') return false;
    return (
      hostname === 'localhost' || hostname === '::1' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
    );
  }

  async #query(hostname: string): Promise<readonly string[]> {
    const queries = [this.#resolver.resolve4(hostname), this.#resolver.resolve6(hostname)];
    const answers = await allButLate(queries);
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return addresses;
    const codes = answers.map((answer) => (answer.status === 'rejected' ? codeOf(answer.reason) : 'ENODATA'));
    // "No record of this type" is the less telling of two answers.
    const code = codes.find((each) => each !== 'ENODATA') ?? 'ENODATA';
    return this.#policy.mode === 'true'
      ? systemLookup(hostname, code)
      : Promise.reject(new DnsLookupError(code));
  }
}

/**
 * The answers of both families; but once one of them has addresses, the other only if it comes within the grace. What
 * comes later is neither looked at nor dialled.
 */
function allButLate(
  queries: readonly Promise<string[]>[],
): Promise<readonly PromiseSettledResult<string[]>[]> {
  return new Promise((resolve) => {
    const answers = new Map<number, PromiseSettledResult<string[]>>();
    let grace: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(grace);
      resolve([...answers.entries()].sort(([a], [b]) => a - b).map(([, answer]) => answer));
    };
    const take = (index: number, answer: PromiseSettledResult<string[]>): void => {
      answers.set(index, answer);
      if (answers.size === queries.length) finish();
      else if (answer.status === 'fulfilled' && answer.value.length > 0) {
        // One turn of the event loop more: an answer that has arrived is read, however busy this process is.
        grace = setTimeout(() => setImmediate(finish), SECOND_FAMILY_GRACE_MS);
      }
    };
    for (const [index, query] of queries.entries()) {
      query.then(
        (value) => take(index, { status: 'fulfilled', value }),
        (reason: unknown) => take(index, { status: 'rejected', reason }),
      );
    }
  });
}

/** Development only: compose service names and the like, which the system knows and DNS may not. */
async function systemLookup(hostname: string, dnsCode: string): Promise<readonly string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch {
    throw new DnsLookupError(dnsCode);
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new BudgetExceededError());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
