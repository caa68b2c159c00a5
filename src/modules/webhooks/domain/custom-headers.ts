import { pathText, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/** A header that a subscription adds to its requests. */
export interface CustomHeader {
  readonly name: string;
  /** Null: secret, and sealed with the other secret ones of the subscription. */
  readonly value: string | null;
}

/** Names and values as somebody wants them; {@link KEPT_VALUE} of a secret one: as it is stored. */
export type HeadersWish = Readonly<Record<string, string>>;

/** What is shown in place of a secret value, and what keeps it in a change. */
export const KEPT_VALUE = '***';

export const MAX_HEADERS = 20;
export const MAX_HEADER_NAME_LENGTH = 64;
export const MAX_HEADER_VALUE_LENGTH = 1_024;
/** Bytes of all names and values together: what many receivers take of a request's head is 8 KiB, and ours are in it too. */
export const MAX_HEADERS_BYTES = 4_096;

/** RFC 9110, 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** Printable ASCII; blanks around it would be lost on the way. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/;
const SECRET = /^(?:authorization|cookie)$|key|token|secret/i;

/** What belongs to the connection, or is ours: set by somebody else it would smuggle requests or pass for our own word. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect'],
  ...['accept-encoding', 'date', 'http2-settings', 'user-agent'],
  ...['x-event', 'x-signature', 'x-signature-previous'],
]);
const RESERVED_PREFIXES = ['content-', 'proxy-', 'webhook-', 'x-delivery-', 'x-webhook-'];

/** Whether the value is kept from everybody who reads the subscription or its log. */
export function isSecretHeader(name: string): boolean {
  return SECRET.test(name);
}

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

/** Checks what somebody wants as headers; no problems: a {@link HeadersWish}. */
export function headersProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: `${pathText(path)} must be an object of names and values` }];
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_HEADERS) return [{ path, msg: `At most ${MAX_HEADERS} headers` }];
  const seen = new Set<string>();
  const problems = entries.flatMap(([name, text]: [string, unknown]) => {
    const at = [...path, name.slice(0, MAX_HEADER_NAME_LENGTH)];
    const lower = name.toLowerCase();
    const found = [...nameProblems(name, seen.has(lower)), ...valueProblems(text)];
    seen.add(lower);
    return found.map((msg) => ({ path: at, msg }));
  });
  if (problems.length > 0) return problems;
  const bytes = entries.reduce((sum, [name, text]) => sum + name.length + String(text).length, 0);
  return bytes > MAX_HEADERS_BYTES
    ? [{ path, msg: `Headers must be at most ${MAX_HEADERS_BYTES} bytes in all` }]
    : [];
}

function nameProblems(name: string, isRepeated: boolean): string[] {
  if (!NAME.test(name)) {
    return [`Header name must be 1-${MAX_HEADER_NAME_LENGTH} letters, digits and any of !#$%&'*+-.^_\`|~`];
  }
  if (isReservedHeader(name)) return ['Reserved header'];
  return isRepeated ? ['Duplicate header'] : [];
}

function valueProblems(value: unknown): string[] {
  return typeof value === 'string' && VALUE.test(value)
    ? []
    : [
        `Header value must be 1-${MAX_HEADER_VALUE_LENGTH} printable ASCII characters without blanks around them`,
      ];
}

/** As they are shown: names as they were given, secret values masked. */
export function shownHeaders(headers: readonly CustomHeader[]): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value }) => [name, value ?? KEPT_VALUE]));
}
