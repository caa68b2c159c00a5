import { EVENT_REFUSALS, NAME_RULE, PATTERN_RULE } from './bad-events.js';
import {
  badBodies,
  badIds,
  badPaging,
  json,
  missing,
  problem,
  unknown,
  wrong,
  type BadRequest,
} from './bad-request.js';

const SUBSCRIPTIONS = '/api/v1/tenant/webhooks/subscriptions';
const URL_OK = 'https://hooks.customer.com/other';
const URL_REFUSALS: readonly [unknown, string][] = [
  [7, 'URL must be a string'],
  [null, 'URL must be a string'],
  [[URL_OK], 'URL must be a string'],
  ['http://hooks.customer.com/', 'URL must use HTTPS protocol'],
  ['ftp://hooks.customer.com/', 'URL must use HTTPS protocol'],
];

const SECRET_REFUSALS: readonly [unknown, string][] = [
  [12345678, 'Secret must be a string'],
  [null, 'Secret must be a string'],
  [['12345678'], 'Secret must be a string'],
  ['', 'Secret must be at least 8 characters'],
  ['1234567', 'Secret must be at least 8 characters'],
  ['x'.repeat(501), 'Secret must be at most 500 characters'],
  ['12345678\u0000', 'Secret must not contain control characters or half characters'],
  ['12345678\ud800', 'Secret must not contain control characters or half characters'],
  [
    'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    'Secret must not be a public key: whpk_ keys only verify',
  ],
  ['whsec_!!!!!!!!', 'Secret must be base64 after whsec_'],
  ['whsec_YWJj', 'Secret must hold at least 8 bytes of base64 after whsec_'],
];

const RATE = { max: 1, per_seconds: 1 };

/** A setting with fields that there are not, and what is said of them: no more of a name than can be read. */
function withUnknownFields(setting: object): [object, ...[string[], string][]] {
  const [[field, value] = ['', {}]] = Object.entries(setting) as [string, object][];
  const names = ['__proto__', 'constructor', 'toString', 'x'.repeat(100_000)];
  const unknownOnes = Object.fromEntries(names.map((name) => [name, 1]));
  const shown = [...names.slice(0, 3), `${'x'.repeat(100)}…`];
  const problems = shown.map((name): [string[], string] => [[field, name], 'Unknown field']);
  return [{ [field]: { ...value, ...unknownOnes } }, ...problems];
}

/** Where each problem is, below the body, and what it says. */
const SETTING_REFUSALS: readonly (readonly [object, ...(readonly [readonly string[], string])[]])[] = [
  [{ description: 5 }, [['description'], 'description must be a string']],
  [{ description: 'x'.repeat(501) }, [['description'], 'Too long']],
  [
    { description: 'a\u0000' },
    [['description'], 'Description must not contain control characters or half characters'],
  ],
  [{ headers: 'X-A: 1' }, [['headers'], 'headers must be an object of names and values']],
  [
    { headers: { Host: 'x', 'webhook-id': 'y', 'X-A': 'a\nb', 'x-a': 'c' } },
    [['headers', 'Host'], 'Reserved header'],
    [['headers', 'webhook-id'], 'Reserved header'],
    [['headers', 'X-A'], 'Header value must be 1-1024 printable ASCII characters without blanks around them'],
    [['headers', 'x-a'], 'Duplicate header'],
  ],
  [{ filter: 'total > 100' }, [['filter'], 'Filter must be an object']],
  [{ filter: [{ a: 1 }] }, [['filter'], 'Filter must be an object']],
  [
    { filter: { total: { $regex: 'x' }, $or: [], 'a..b': 1 } },
    [['filter', 'total', '$regex'], 'Unknown operator "$regex" at total'],
    [['filter', '$or'], '$or must have at least one filter: none would match nothing'],
    [['filter', 'a..b'], 'The path "a..b" has an empty name'],
  ],
  [
    { filter: Object.fromEntries(Array.from({ length: 101 }, (_unused, n) => [`a${n}`, n])) },
    [['filter'], 'Filter must have at most 100 conditions'],
  ],
  [{ template: 'xml' }, [['template'], 'Unknown preset "xml"']],
  [{ template: ['raw'] }, [['template'], 'template must be a preset or an object with jsonata']],
  [{ template: { jsonata: '' } }, [['template', 'jsonata'], 'template.jsonata must be a JSONata expression']],
  [
    { template: { jsonata: '{"a":' } },
    [['template'], 'Template: Expected "}" before end of expression at 5'],
  ],
  [{ signature: 'jwt' }, [['signature'], 'signature must be an object']],
  [
    { signature: { scheme: null, alg: 'none', x: 1 } },
    [['signature', 'scheme'], 'signature.scheme must be one of hmac, v1a, jwt'],
    [['signature', 'alg'], 'signature.alg must be one of EdDSA, ES256, HS256'],
    [['signature', 'x'], 'Unknown field'],
  ],
  // Names that every object inherits, and one as long as a body may be.
  ...([{ rate_limit: RATE }, { signature: {} }, { template: { jsonata: '$' } }] as const).map(
    withUnknownFields,
  ),
  [
    { headers: { Authorization: '***' } },
    [['headers', 'Authorization'], '*** keeps a stored value, and there is none: give the value'],
  ],
];

const EVENTS_RULE = 'events must be a list of 1 to 50 events';

const EVENTS_REFUSALS: readonly (readonly [
  object,
  ...(readonly [readonly (string | number)[], string])[],
])[] = [
  [{ events: [] }, [['events'], EVENTS_RULE]],
  [{ events: 'a.b' }, [['events'], EVENTS_RULE]],
  [{ events: null }, [['events'], EVENTS_RULE]],
  [{ events: Array(51).fill('a') }, [['events'], EVENTS_RULE]],
  [
    { events: ['a', 'a b', 5, null, 'a\u0000'] },
    [['events', 1], PATTERN_RULE],
    [['events', 2], 'Event must be a string'],
    [['events', 3], 'Event must be a string'],
    [['events', 4], PATTERN_RULE],
  ],
  [{ event: 'b', events: ['a', 'b'] }, [['events'], 'Give event or events']],
];

const subscriptionFields = (method: string, path: string, rest: object): BadRequest[] => [
  ...EVENT_REFUSALS.map(([event, msg]) => ({
    title: `event ${json(event)}`,
    method,
    path,
    body: { ...rest, event },
    problems: [wrong('event', msg)],
  })),
  ...URL_REFUSALS.map(([url, msg]) => ({
    title: `url ${json(url)}`,
    method,
    path,
    body: { ...rest, url },
    problems: [wrong('url', msg)],
  })),
  ...SECRET_REFUSALS.map(([secret, msg]) => ({
    title: `secret ${json(secret).slice(0, 40)}`,
    method,
    path,
    body: { ...rest, secret },
    problems: [wrong('secret', msg)],
  })),
  ...[...SETTING_REFUSALS, ...EVENTS_REFUSALS].map(([settings, ...problems]) => ({
    title: json(settings).slice(0, 60),
    method,
    path,
    body: 'events' in settings ? { url: URL_OK, ...settings } : { ...rest, ...settings },
    problems: problems.map(([loc, msg]) => ({ type: 'value_error', loc: ['body', ...loc], msg })),
  })),
];

export const BAD_SUBSCRIPTION_REQUESTS: readonly BadRequest[] = [
  ...badBodies('POST', SUBSCRIPTIONS, { event: 'x', url: URL_OK }, []),
  {
    title: 'no field at all',
    method: 'POST',
    path: SUBSCRIPTIONS,
    body: {},
    problems: [{ ...missing('event'), msg: 'Give event or events' }, missing('url')],
  },
  ...subscriptionFields('POST', SUBSCRIPTIONS, { event: 'x', url: URL_OK }),
  {
    title: 'everything wrong at once',
    method: 'POST',
    path: SUBSCRIPTIONS,
    body: { event: 'a..b', url: 'http://hooks.customer.com/', secret: 'short', nonsense: 1 },
    problems: [
      wrong('event', PATTERN_RULE),
      wrong('url', 'URL must use HTTPS protocol'),
      wrong('secret', 'Secret must be at least 8 characters'),
      unknown('nonsense'),
    ],
  },
  {
    title: 'active=yes and two events',
    method: 'GET',
    path: `${SUBSCRIPTIONS}?active=yes&event=a&event=b`,
    problems: [
      problem('query', 'active', 'Active must be true or false'),
      problem('query', 'event', 'Event must be a string'),
    ],
  },
  {
    title: 'an event that is none, and unknown keys',
    method: 'GET',
    path: `${SUBSCRIPTIONS}?event=%00&limit=1&toString=1`,
    problems: [
      problem('query', 'event', PATTERN_RULE),
      unknown('limit', 'query'),
      unknown('toString', 'query'),
    ],
  },
  ...badBodies('POST', `${SUBSCRIPTIONS}/preview`, {}, []),
  {
    title: 'a preview of nothing that could be one',
    method: 'POST',
    path: `${SUBSCRIPTIONS}/preview`,
    body: { template: 'xml', filter: { $x: 1 }, event: 'a b', payload: [], event_id: 'x' },
    problems: [
      wrong('event', NAME_RULE),
      wrong('payload', 'Payload must be a JSON object'),
      wrong('template', 'Unknown preset "xml"'),
      { type: 'value_error', loc: ['body', 'filter', '$x'], msg: 'Unknown operator "$x" at filter' },
      wrong('event_id', 'event_id must be a UUID'),
    ],
  },
  ...badIds('GET', `${SUBSCRIPTIONS}/{id}`, 'subscription_not_found'),
  ...badBodies('PATCH', `${SUBSCRIPTIONS}/{subscription}`, {}, []),
  ...subscriptionFields('PATCH', `${SUBSCRIPTIONS}/{subscription}`, {}),
  ...['true', 1, null, []].map((active) => ({
    title: `active ${json(active)}`,
    method: 'PATCH',
    path: `${SUBSCRIPTIONS}/{subscription}`,
    body: { active },
    problems: [wrong('active', 'Active must be true or false')],
  })),
  ...badIds('PATCH', `${SUBSCRIPTIONS}/{id}`, 'subscription_not_found', { body: { active: false } }),
  ...badIds('DELETE', `${SUBSCRIPTIONS}/{id}`, 'subscription_not_found'),
  ...badBodies('POST', `${SUBSCRIPTIONS}/{subscription}/rotate-secret`, {}, []),
  ...SECRET_REFUSALS.map(([secret, msg]) => ({
    title: `secret ${json(secret).slice(0, 40)}`,
    method: 'POST',
    path: `${SUBSCRIPTIONS}/{subscription}/rotate-secret`,
    body: { secret },
    problems: [wrong('secret', msg)],
  })),
  ...['24', -1, 169, 1e300, null, true, []].map((overlap_hours) => ({
    title: `overlap_hours ${json(overlap_hours)}`,
    method: 'POST',
    path: `${SUBSCRIPTIONS}/{subscription}/rotate-secret`,
    body: { overlap_hours },
    problems: [wrong('overlap_hours', 'Overlap must be a number of hours from 0 to 168')],
  })),
  ...['24', -1, 604_801, 0.5, true, []].map((overlap_seconds) => ({
    title: `overlap_seconds ${json(overlap_seconds)}`,
    method: 'POST',
    path: `${SUBSCRIPTIONS}/{subscription}/rotate-secret`,
    body: { overlap_seconds },
    problems: [wrong('overlap_seconds', 'overlap_seconds must be an integer from 0 to 604800')],
  })),
  ...badIds('POST', `${SUBSCRIPTIONS}/{id}/rotate-secret`, 'subscription_not_found'),
  ...badIds('POST', `${SUBSCRIPTIONS}/{id}/test`, 'subscription_not_found'),
  ...badBodies('POST', `${SUBSCRIPTIONS}/{subscription}/test`, {}, []),
  ...badPaging('/api/v1/tenant/webhooks/audit'),
];
