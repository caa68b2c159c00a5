import fc from 'fast-check';
import { anyText } from '../../support/any-text.js';

/** A request as it goes over the wire, but for the token. */
export interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

const ROUTES = '/api/v1/tenant/webhooks';
const LISTS = ['/subscriptions', '/deliveries', '/events', '/tasks', '/audit'].map((path) => ROUTES + path);
const CHANGES: readonly (readonly [method: string, path: string])[] = [
  ['POST', `${ROUTES}/subscriptions`],
  ['PATCH', `${ROUTES}/subscriptions/{id}`],
  ['DELETE', `${ROUTES}/subscriptions/{id}`],
  ['POST', `${ROUTES}/subscriptions/{id}/rotate-secret`],
  ['POST', `${ROUTES}/subscriptions/{id}/recover`],
  ['POST', `${ROUTES}/subscriptions/{id}/replay-missing`],
  ['POST', `${ROUTES}/deliveries`],
  ['POST', `${ROUTES}/deliveries/retry`],
  ['POST', `${ROUTES}/deliveries/{id}/retry`],
  ['POST', `${ROUTES}/events/{id}/replay`],
  ['POST', `${ROUTES}/panel-sessions`],
  ['POST', '/panel/session'],
  ['POST', '/api/v1/tenant/invoices'],
  ['POST', '/api/v1/tenant/invoices/{id}/send'],
];

/** What has broken services before: of the database, of JavaScript, of parsers. */
const ODD_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  '\ufeff',
  'ſ',
  '..',
  '%00',
  "' OR 1=1 --",
  '${7*7}',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '99999999999999999999999999',
  '2026-W10',
  '20261101T000000Z',
  '2026-11-01T10',
  '2026-02-30',
  '0000-01-01',
  '9999-12-31T23:59:60-23:59',
  '0001-01-01T00:00:00+23:59',
  'x'.repeat(3_000),
];
const GOOD_TEXTS = [
  'invoice.created',
  '*',
  'https://hooks.customer.com/a',
  '2026-11-01',
  '2026-11-01T00:00:00Z',
  'FAILED',
  'true',
  '10',
  '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50',
  'a-long-and-random-secret',
];
const FIELDS = [
  ...['event', 'url', 'secret', 'active', 'payload', 'force', 'status', 'subscription_id', 'since', 'until'],
  ...['limit', 'cursor', 'overlap_hours', 'dry_run', 'action', 'resource', 'resource_id', 'actor', 'matched'],
  ...['number', 'customer', 'total_cents', 'currency', 'send', 'read_only', 'token'],
  ...[
    'description',
    'events',
    'headers',
    'template',
    'filter',
    'event_id',
    'signature',
    'overlap_seconds',
    'retry_schedule',
    'timeout_seconds',
  ],
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 3, arbitrary: fc.constantFrom(...GOOD_TEXTS) },
  { weight: 1, arbitrary: anyText({ maxLength: 60 }) },
);
const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...FIELDS) }, { weight: 1, arbitrary: text });

/** Texts of one value, also of those that JavaScript cannot hold. */
const json = fc.oneof(
  { weight: 3, arbitrary: text.map((value) => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1e999', '-0', '9007199254740993', '1E400', '0.1e-400', '{}', '[]'),
  },
  { weight: 2, arbitrary: fc.json({ maxDepth: 4 }) },
);
const fields = fc.array(fc.tuple(name, json), { maxLength: 6 });
const object = (of: readonly (readonly [string, string])[]): string =>
  `{${of.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;

/** Any text as a part of a URL: half a character has no UTF-8, so its bytes are written as they would be. */
const escaped = (value: string): string =>
  [...value]
    .map((character) =>
      /[\ud800-\udfff]/.test(character) && character.length === 1
        ? '%ED%A0%80'
        : encodeURIComponent(character),
    )
    .join('');
const query = fc
  .array(fc.tuple(name, text), { maxLength: 5 })
  .map((pairs) => pairs.map(([key, value]) => `${escaped(key)}=${escaped(value)}`).join('&'));
const rawQuery = fc.constantFrom(
  '%',
  '%zz',
  '&&&',
  '=',
  'a[b]=1',
  'limit=1&limit=2',
  '?',
  'event=%C0%80',
  '%00=%00',
);

const headerText = fc.oneof(
  fc.constantFrom('', ' ', 'x'.repeat(300), 'order-1', '\t', 'é', 'a,b', '"'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
);
const headers = fc.record(
  { 'idempotency-key': headerText, 'x-request-id': headerText, accept: headerText },
  { requiredKeys: [] },
);

const id = text.map((value) => escaped(value === '' || /^\.+$/.test(value) ? 'x' : value));

const read = fc
  .tuple(
    fc.constantFrom(...LISTS),
    fc.option(id, { freq: 3 }),
    fc.oneof({ weight: 5, arbitrary: query }, rawQuery),
    headers,
  )
  .map(([list, one, ask, given]): AnyRequest => {
    const path = one === null ? list : `${list}/${one}`;
    return { method: 'GET', path: `${path}?${ask}`, headers: given };
  });

const change = (body: fc.Arbitrary<string | undefined>): fc.Arbitrary<AnyRequest> =>
  fc
    .tuple(fc.constantFrom(...CHANGES), id, body, headers)
    .map(([[method, path], one, text_, given]): AnyRequest => ({
      method,
      path: path.replace('{id}', one),
      headers: given,
      body: text_,
    }));

const anyBody = fc.oneof(
  { weight: 6, arbitrary: fields.map(object) },
  { weight: 1, arbitrary: json },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: fc.tuple(fields.map(object), fc.nat(60)).map(([whole, at]) => whole.slice(0, at)) },
);

/** Anything: most of it is refused, some is not. */
export const anyRequest: fc.Arbitrary<AnyRequest> = fc.oneof(read, change(anyBody));

/** With one thing that no route takes: a field that nobody knows, or a body that is no object. */
const refusedBody = fc.oneof(
  { weight: 4, arbitrary: fields.map((given) => object([...given, ['unknown_field', '1']])) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fields,
        fc.constantFrom('constructor', '__proto__', 'prototype', 'toString', 'hasOwnProperty'),
        json,
      )
      .map(([given, inherited, value]) => object([...given, [inherited, value]])),
  },
  { weight: 1, arbitrary: fields.map((given) => object(given).slice(0, -1)) },
);

export const refusedRequest: fc.Arbitrary<AnyRequest> = change(refusedBody);
