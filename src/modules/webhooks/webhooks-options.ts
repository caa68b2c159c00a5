export type Broker =
  | { readonly kind: 'inline' }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** How the module is set up; every value is validated by whoever makes it (the service: src/platform/config). */
export interface WebhooksOptions {
  /** `all`: API and engine; `api`: stores and rings; `worker`: delivers. */
  readonly role: 'all' | 'api' | 'worker';
  /** What rings lanes: this process alone, or BullMQ on Redis or in the service's own database. */
  readonly broker: Broker;
  /** Prefix of the broker's keys; installations that share a Redis need different ones. */
  readonly queuePrefix: string;
  /** Total budget of one attempt in milliseconds. */
  readonly timeoutMs: number;
  /** Automatic retries after the first attempt. */
  readonly maxRetries: number;
  readonly userAgent: string;
  /** The `iss` of JWTs. */
  readonly issuer: string;
  /** Active subscriptions that one tenant may have; 0 sets no limit. */
  readonly maxActiveSubscriptions: number;
  /** Keeps emitted events that nobody is subscribed to. */
  readonly storeUnmatched: boolean;
  /** `warn` logs emitted payloads that do not fit the schema of their type, `reject` refuses them. */
  readonly eventValidation: 'off' | 'warn' | 'reject';
  /** Days that events, deliveries and attempts are kept; 0 for ever. */
  readonly retentionDays: number;
  /** Days that payloads are kept; null as long as their events. */
  readonly payloadRetentionDays: number | null;
  /** Days that a delivery may be held; 0 for ever. */
  readonly maxHoldDays: number;
  /** AES-256 keys of 32 bytes; the first seals, all of them open. */
  readonly encryptionKeys: readonly { readonly kid: string; readonly key: Buffer }[];
  readonly allowInsecureTargets: 'false' | 'loopback' | 'true';
  readonly egressAllowCidrs: readonly string[];
  /** `ip` or `ip:port` of the DNS servers that resolve targets; empty: the system's. */
  readonly dnsServers: readonly string[];
  /** Hosts of the service itself, refused as targets: a delivery to ourselves would loop. */
  readonly ownHosts: readonly string[];
  /** Adds the tenant as a label to metrics. */
  readonly labelTenants: boolean;
}

/** The injection token of {@link WebhooksOptions}. */
export const WEBHOOKS_OPTIONS = Symbol('WEBHOOKS_OPTIONS');
