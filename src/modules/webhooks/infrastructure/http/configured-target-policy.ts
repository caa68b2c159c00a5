import { domainToUnicode } from 'node:url';
import { TargetPolicy, type TargetVerdict } from '../../application/ports/target-policy.js';
import { checkTargetUrl, type InsecureTargets, type TargetUrlRules } from '../../domain/target-url.js';
import { classifyAddress, parseEgressAllowCidrs } from './address-classes.js';

export interface TargetPolicyOptions {
  /** `WEBHOOK_ALLOW_INSECURE_TARGETS`. */
  readonly allowInsecureTargets: InsecureTargets;
  /** `WEBHOOK_EGRESS_ALLOW_CIDRS`: private ranges that may be called nevertheless. */
  readonly egressAllowCidrs: readonly string[];
  /** `host` or `host:port` under which this service itself is reached from outside. */
  readonly ownHosts: readonly string[];
}

/** The target rule with the operator's settings: the same object answers at creation, at send and at connect. */
export class ConfiguredTargetPolicy extends TargetPolicy {
  readonly mode: InsecureTargets;
  readonly #rules: TargetUrlRules;

  /** @throws Error when an egress CIDR is malformed or not private. */
  constructor(options: TargetPolicyOptions) {
    super();
    this.mode = options.allowInsecureTargets;
    const allowCidrs = parseEgressAllowCidrs(options.egressAllowCidrs);
    this.#rules = {
      insecure: options.allowInsecureTargets,
      ownHosts: options.ownHosts,
      classifyAddress: (ip) => classifyAddress(ip, allowCidrs),
      unicodeHostOf: domainToUnicode,
    };
  }

  override check(rawUrl: string): TargetVerdict {
    return checkTargetUrl(rawUrl, this.#rules);
  }

  /** The class for which a resolved address is refused, or null when it may be dialled. */
  refusedClassOf(ip: string): string | null {
    return this.mode === 'true' ? null : this.#rules.classifyAddress(ip);
  }
}
