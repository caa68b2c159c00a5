import { EVENT_REFUSALS, NAME_RULE, PATTERN_RULE } from './bad-events.js';
import {
  badBodies,
  badIds,
  badPaging,
  json,
  LIMIT_RULE,
  problem,
  unknown,
  wrong,
  type BadRequest,
} from './bad-request.js';

const DELIVERIES = '/api/v1/tenant/webhooks/deliveries';
const timeRule = (name: string): string =>
  `${name} must be a day such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z (a + in a URL is written %2B)`;

const HTTP_CLASS_RULE = 'HTTP class must be one of 2xx, 3xx, 4xx, 5xx';
const ERROR_CLASS_RULE =
  'Error class must be one of timeout, dns_error, connection_refused, connection_reset, tls_error, blocked, template_error, http_4xx, http_5xx, http_3xx, other';

export const BAD_DELIVERY_REQUESTS: readonly BadRequest[] = [
  ...badBodies('POST', DELIVERIES, { event: 'bad.made', payload: {} }, ['event', 'payload']),
  ...EVENT_REFUSALS.map(([event, msg]) => ({
    title: `event ${json(event)}`,
    method: 'POST',
    path: DELIVERIES,
    body: { event, payload: {} },
    problems: [wrong('event', msg === PATTERN_RULE ? NAME_RULE : msg)],
  })),
  ...['*', 'bad.*'].map((event) => ({
    title: `the wildcard ${event}`,
    method: 'POST',
    path: DELIVERIES,
    body: { event, payload: {} },
    problems: [wrong('event', NAME_RULE)],
  })),
  ...['webhook.endpoint.failing', ' Webhook.x'].map((event) => ({
    title: `the reserved ${json(event)}`,
    method: 'POST',
    path: DELIVERIES,
    body: { event, payload: {} },
    problems: [wrong('event', 'Event names that begin with "webhook." are reserved for the service itself')],
  })),
  ...['[]', '[{}]', '"{}"', '1', 'true', 'null', '1e999'].map((payload) => ({
    title: `the payload ${payload}`,
    method: 'POST',
    path: DELIVERIES,
    body: `{"event":"bad.made","payload":${payload}}`,
    problems: [wrong('payload', 'Payload must be a JSON object')],
  })),
  {
    title: 'a second payload that is none',
    method: 'POST',
    path: DELIVERIES,
    body: '{"event":"bad.made","payload":{},"payload":[]}',
    problems: [wrong('payload', 'Payload must be a JSON object')],
  },
  ...['', ' ', 'x'.repeat(256), 'with space', 'ñ', 'tab\tbed'].map((key) => ({
    title: `Idempotency-Key "${key.slice(0, 20)}"`,
    method: 'POST',
    path: DELIVERIES,
    headers: { 'idempotency-key': key },
    body: { event: 'bad.made', payload: {} },
    problems: [
      problem(
        'header',
        'idempotency-key',
        'Idempotency-Key must be 1–255 printable ASCII characters without spaces',
      ),
    ],
  })),
  {
    title: 'an event that nobody subscribed to',
    method: 'POST',
    path: DELIVERIES,
    body: { event: 'bad.nobody', payload: {} },
    status: 404,
    problems: 'no_active_subscriptions_for_event',
  },
  ...badPaging(DELIVERIES),
  ...['a..b', 'bad.*', '*', '%00', ''].map((event) => ({
    title: `event=${event}`,
    method: 'GET',
    path: `${DELIVERIES}?event=${event}`,
    problems: [problem('query', 'event', event === '' ? 'Event must not be empty' : NAME_RULE)],
  })),
  ...['failed', 'Failed', 'DONE', '', 'FAILED&status=PENDING'].map((status) => ({
    title: `status=${status}`,
    method: 'GET',
    path: `${DELIVERIES}?status=${status}`,
    problems: [problem('query', 'status', 'Status must be one of PENDING, SENDING, DELIVERED, FAILED')],
  })),
  ...['no-uuid', '', '%00', '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50&subscription_id=x'].map((id) => ({
    title: `subscription_id=${id}`,
    method: 'GET',
    path: `${DELIVERIES}?subscription_id=${id}`,
    problems: [problem('query', 'subscription_id', 'Subscription id must be a UUID')],
  })),
  ...[
    'yesterday',
    '',
    '2026-02-30',
    '2026-W01',
    '2026-W10',
    '20261101T000000Z',
    '2026-11-01T10',
    '2026-11-01T00:00:00%00',
    '%ED%A0%80',
    '1764000000',
    '2026-11-01&since=x',
  ].map((since) => ({
    title: `since=${since}`,
    method: 'GET',
    path: `${DELIVERIES}?since=${since}`,
    problems: [problem('query', 'since', timeRule('Since'))],
  })),
  ...['5', '500', '1xx', '5XX', '', '5xx&http_class=4xx'].map((value) => ({
    title: `http_class=${value}`,
    method: 'GET',
    path: `${DELIVERIES}?http_class=${value}`,
    problems: [problem('query', 'http_class', HTTP_CLASS_RULE)],
  })),
  ...['slow', 'TIMEOUT', '', '%00', 'timeout&error_class=other'].map((value) => ({
    title: `error_class=${value}`,
    method: 'GET',
    path: `${DELIVERIES}?error_class=${value}`,
    problems: [problem('query', 'error_class', ERROR_CLASS_RULE)],
  })),
  ...['', '%00', 'a%0Ab'].map((q) => ({
    title: `q=${q}`,
    method: 'GET',
    path: `${DELIVERIES}?q=${q}`,
    problems: [problem('query', 'q', 'Q must not be empty or contain control characters')],
  })),
  {
    title: 'a q of 201 characters',
    method: 'GET',
    path: `${DELIVERIES}?q=${'x'.repeat(201)}`,
    problems: [problem('query', 'q', 'Q must be at most 200 characters')],
  },
  {
    title: 'since after until',
    method: 'GET',
    path: `${DELIVERIES}?since=2026-11-02&until=2026-11-01T23:59:59.999Z`,
    problems: [problem('query', 'until', 'Until must not be before since')],
  },
  {
    title: 'every filter wrong at once',
    method: 'GET',
    path: `${DELIVERIES}?event=.&status=x&subscription_id=x&http_class=x&error_class=x&q=a&q=b&since=x&until=x&limit=x&cursor=a&cursor=b&x=x`,
    problems: [
      problem('query', 'event', NAME_RULE),
      problem('query', 'status', 'Status must be one of PENDING, SENDING, DELIVERED, FAILED'),
      problem('query', 'subscription_id', 'Subscription id must be a UUID'),
      problem('query', 'http_class', HTTP_CLASS_RULE),
      problem('query', 'error_class', ERROR_CLASS_RULE),
      problem('query', 'q', 'Q must be a string'),
      problem('query', 'since', timeRule('Since')),
      problem('query', 'until', timeRule('Until')),
      problem('query', 'limit', LIMIT_RULE),
      problem('query', 'cursor', 'Cursor must be a string'),
      unknown('x', 'query'),
    ],
  },
  ...badIds('GET', `${DELIVERIES}/{id}`, 'delivery_not_found'),
  ...badBodies('POST', `${DELIVERIES}/{delivery}/retry`, {}, []),
  ...['true', 1, null, {}].map((force) => ({
    title: `force ${json(force)}`,
    method: 'POST',
    path: `${DELIVERIES}/{delivery}/retry`,
    body: { force },
    problems: [wrong('force', 'Force must be true or false')],
  })),
  {
    title: 'a delivery that has not failed',
    method: 'POST',
    path: `${DELIVERIES}/{delivery}/retry`,
    problems: 'delivery_not_failed',
  },
  ...badIds('POST', `${DELIVERIES}/{id}/retry`, 'delivery_not_found'),
];
