import { MAX_URL_LENGTH } from './subscription.js';
import { reservedSuffixOf, isReservedPort } from './target-url-lists.js';
import { refuse, targetTextOf, type Refusal, type TargetUrlVerdict } from './target-text.js';

/** How far the rule is relaxed for development; anything but `false` is refused in production. */
export type InsecureTargets = 'false' | 'loopback' | 'true';

export interface TargetUrlRules {
  /** `null` for a public address, else the name of its class (`loopback`, `private`, `6to4`, …). */
  classifyAddress(ip: string): string | null;
  readonly insecure: InsecureTargets;
  /** `host` (any port) or `host:port` of this service's own public address: a webhook to it would be a loop. */
  readonly ownHosts: readonly string[];
  /** The readable form of a host name with `xn--` labels. */
  unicodeHostOf(host: string): string;
}

/** Everything that the rules about hosts and ports look at. */
interface Parts {
  readonly url: URL;
  /** The host as it was written, brackets included, before the parser normalised it. */
  readonly rawHost: string;
  readonly port: number;
}

const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;
const FIRST_UNPRIVILEGED_PORT = 1024;

/**
 * The WHATWG parser trims, deletes or rewrites these silently, or people cannot see them: what was shown at creation
 * would not be what is called. Lone surrogates (`Cs`) become U+FFFD; U+2800 is a blank that no category covers.
 */
const UNWANTED_CHARACTER = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\\]/u;
const DOTTED_IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** Compose and Kubernetes names may carry underscores; only the fully open development mode accepts them. */
const DEVELOPMENT_LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * Decides from its text alone whether a URL may be a target; names are not resolved. The one rule for creation, update
 * and every send, so it must stay pure.
 *
 * @example `checkTargetUrl('http://example.com', rules)` → `{ ok: false, code: 'scheme', message: 'URL must use HTTPS protocol' }`
 */
export function checkTargetUrl(raw: string, rules: TargetUrlRules): TargetUrlVerdict {
  const refusedText = checkCharacters(raw);
  if (refusedText) return refusedText;
  const url = parse(raw);
  if (!url) return refuse('unparseable', 'URL is not a valid absolute URL');
  // As it is called: letters beyond ASCII take up to twelve bytes each there.
  if (url.href.length > MAX_URL_LENGTH) {
    return refuse('too-long', `URL must be at most ${MAX_URL_LENGTH} bytes when it is percent-encoded`);
  }
  const mayBeHttp = url.protocol === 'http:' && rules.insecure !== 'false';
  if (url.protocol !== 'https:' && !mayBeHttp) return refuseScheme(rules);
  const parts = splitAuthority(raw, url);
  if ('code' in parts) return parts;
  return (
    checkPlainHttp(parts, rules) ??
    (raw.includes('#') ? refuse('fragment', 'URL must not contain a fragment (#)') : null) ??
    checkHost(parts, rules) ??
    checkPort(parts, rules) ??
    checkOwnHost(parts, rules) ??
    targetTextOf(raw, url, parts.rawHost, (host) => rules.unicodeHostOf(host))
  );
}

function parse(raw: string): URL | null {
  try {
    return new URL(raw);
  } catch {
    return null;
  }
}

function refuseScheme(rules: TargetUrlRules): Refusal {
  const wanted = rules.insecure === 'true' ? 'HTTP or HTTPS' : 'HTTPS';
  return refuse('scheme', `URL must use ${wanted} protocol`);
}

function checkCharacters(raw: string): Refusal | null {
  if (raw === '') return refuse('empty', 'URL must not be empty');
  if (raw.length > MAX_URL_LENGTH)
    return refuse('too-long', `URL must be at most ${MAX_URL_LENGTH} characters`);
  return UNWANTED_CHARACTER.test(raw)
    ? refuse(
        'control-or-space-or-backslash',
        'URL must not contain spaces, control or invisible characters, or backslashes',
      )
    : null;
}

/** Reads the authority from the raw text: the parser drops an empty `@`, adds slashes and decodes the host. */
function splitAuthority(raw: string, url: URL): Parts | Refusal {
  const afterScheme = raw.slice(raw.indexOf(':') + 1);
  if (!afterScheme.startsWith('//')) return refuse('no-double-slash', 'URL must have // after the protocol');
  const authority = /^[^/?#]*/.exec(afterScheme.slice(2))?.[0] ?? '';
  if (authority === '') return refuse('empty-authority', 'URL must have a host right after //');
  if (authority.includes('@')) return refuse('credentials', 'URL must not contain credentials');
  const rawHost = authority.replace(/:\d*$/, '');
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  return { url, rawHost, port: url.port === '' ? defaultPort : Number(url.port) };
}

function checkPlainHttp(parts: Parts, rules: TargetUrlRules): Refusal | null {
  if (parts.url.protocol === 'https:' || rules.insecure === 'true') return null;
  return isOwnMachine(parts, rules) ? null : refuseScheme(rules);
}

/** What `loopback` mode opens: this machine under the three names that everybody types, nothing that resolves to it. */
function isOwnMachine({ url, rawHost }: Parts, rules: TargetUrlRules): boolean {
  if (rules.insecure !== 'loopback') return false;
  const { hostname } = url;
  if (hostname === '[::1]') return true;
  if (rawHost.toLowerCase() !== hostname) return false;
  return hostname === 'localhost' || (DOTTED_IPV4.test(hostname) && hostname.startsWith('127.'));
}

function checkHost(parts: Parts, rules: TargetUrlRules): Refusal | null {
  const { url, rawHost } = parts;
  if (rawHost.includes('%')) return refuse('encoded-host', 'URL host must not be percent-encoded');
  if (isOwnMachine(parts, rules)) return null;
  if (url.hostname.startsWith('[')) return checkAddress(url.hostname.slice(1, -1), rules);
  if (DOTTED_IPV4.test(url.hostname)) {
    return rawHost === url.hostname
      ? checkAddress(url.hostname, rules)
      : refuse('obfuscated-ip', 'URL host must write an IPv4 address in plain dotted form');
  }
  return checkName(url.hostname, rules);
}

function checkAddress(ip: string, rules: TargetUrlRules): Refusal | null {
  const addressClass = rules.insecure === 'true' ? null : rules.classifyAddress(ip);
  return addressClass === null
    ? null
    : refuse(`ip:${addressClass}`, `URL host is a private address (${addressClass})`);
}

function checkName(hostname: string, rules: TargetUrlRules): Refusal | null {
  const open = rules.insecure === 'true';
  const name = withoutRootDot(hostname);
  const labels = name.split('.');
  if (
    name.length > MAX_NAME_LENGTH ||
    labels.some((label) => label === '' || label.length > MAX_LABEL_LENGTH)
  ) {
    return refuse('label', 'URL host must have labels of 1 to 63 characters, 253 in all');
  }
  if (!labels.every((label) => (open ? DEVELOPMENT_LABEL : LABEL).test(label))) {
    return refuse('host-charset', 'URL host may contain only letters, digits and inner hyphens');
  }
  if (open) return null;
  if (labels.length < 2) return refuse('single-label', 'URL host must be a full domain name');
  const suffix = reservedSuffixOf(name);
  return suffix === null ? null : refuse('special-suffix', `URL host ends in a reserved name (.${suffix})`);
}

function checkPort(parts: Parts, rules: TargetUrlRules): Refusal | null {
  const { port } = parts;
  const allowed =
    rules.insecure === 'true'
      ? port > 0
      : isOwnMachine(parts, rules)
        ? port >= FIRST_UNPRIVILEGED_PORT
        : port === 443 || (port >= FIRST_UNPRIVILEGED_PORT && !isReservedPort(port));
  return allowed ? null : refuse('port', `URL port ${port} is not allowed`);
}

function checkOwnHost({ url, port }: Parts, rules: TargetUrlRules): Refusal | null {
  const name = withoutRootDot(url.hostname);
  const isOwn = rules.ownHosts.some((entry) => {
    const own = entry.toLowerCase();
    return own === name || own === `${name}:${port}`;
  });
  return isOwn ? refuse('own-host', 'URL must not point back to this service') : null;
}

/** `example.com.` and `example.com` are one name to DNS, so they must be one name to the rules. */
function withoutRootDot(hostname: string): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}
