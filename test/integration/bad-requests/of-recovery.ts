import { EVENT_REFUSALS, NAME_RULE, PATTERN_RULE } from './bad-events.js';
import { badBodies, badIds, badPaging, problem, wrong, type BadRequest } from './bad-request.js';

const WEBHOOKS = '/api/v1/tenant/webhooks';
const timeRule = (name: string): string =>
  `${name} must be a day such as 2026-11-01, or a time such as 2026-11-01T00:00:00Z (a + in a URL is written %2B)`;

/** The routes that take `since`, each with the id of a subscription in its path. */
const RECOVERIES = ['recover', 'replay-missing'];

export const BAD_RECOVERY_REQUESTS: readonly BadRequest[] = [
  ...badPaging(`${WEBHOOKS}/events`),
  ...badPaging(`${WEBHOOKS}/tasks`),
  ...badIds('GET', `${WEBHOOKS}/events/{id}`, 'event_not_found'),
  ...badIds('POST', `${WEBHOOKS}/events/{id}/replay`, 'event_not_found'),
  ...badIds('GET', `${WEBHOOKS}/tasks/{id}`, 'task_not_found'),
  ...badIds('POST', `${WEBHOOKS}/tasks/{id}/cancel`, 'task_not_found'),
  ...RECOVERIES.flatMap((name) => [
    ...badIds('POST', `${WEBHOOKS}/subscriptions/{id}/${name}`, 'subscription_not_found', {
      body: { since: '2026-11-01' },
    }),
    ...badBodies('POST', `${WEBHOOKS}/subscriptions/{subscription}/${name}`, { since: '2026-11-01' }, [
      'since',
    ]),
    {
      title: 'every field wrong at once',
      method: 'POST',
      path: `${WEBHOOKS}/subscriptions/{subscription}/${name}`,
      body: { since: 'yesterday', dry_run: 'yes' },
      problems: [wrong('since', timeRule('Since')), wrong('dry_run', 'Dry run must be true or false')],
    },
  ]),
  ...badBodies('POST', `${WEBHOOKS}/deliveries/retry`, { all: true }, []),
  ...[{}, { all: false }, { dry_run: true }].map((body) => ({
    title: `no filter: ${JSON.stringify(body)}`,
    method: 'POST',
    path: `${WEBHOOKS}/deliveries/retry`,
    body,
    problems: [
      { type: 'value_error', loc: ['body'], msg: 'Give a filter, or "all": true for every FAILED delivery' },
    ],
  })),
  {
    title: 'an Idempotency-Key that is none',
    method: 'POST',
    path: `${WEBHOOKS}/deliveries/retry`,
    headers: { 'idempotency-key': 'with space' },
    body: { all: true },
    problems: [
      problem(
        'header',
        'idempotency-key',
        'Idempotency-Key must be 1–255 printable ASCII characters without spaces',
      ),
    ],
  },
  {
    title: 'every field wrong at once',
    method: 'POST',
    path: `${WEBHOOKS}/deliveries/retry`,
    body: {
      status: 'SENDING',
      event: 7,
      subscription_id: 'x',
      since: '2026-02-30',
      until: 5,
      all: 1,
      dry_run: 1,
    },
    problems: [
      wrong('status', 'Status must be one of FAILED, DELIVERED, PENDING'),
      wrong('event', 'Event must be a string'),
      wrong('subscription_id', 'Subscription id must be a UUID'),
      wrong('since', timeRule('Since')),
      wrong('until', timeRule('Until')),
      wrong('all', 'All must be true or false'),
      wrong('dry_run', 'Dry run must be true or false'),
    ],
  },
  {
    title: 'a time before since',
    method: 'POST',
    path: `${WEBHOOKS}/deliveries/retry`,
    body: { since: '2026-11-02', until: '2026-11-01' },
    problems: [wrong('until', 'Until must not be before since')],
  },
  ...EVENT_REFUSALS.filter(([event]) => typeof event === 'string').map(([event, msg]) => ({
    title: `event ${event}`,
    method: 'POST',
    path: `${WEBHOOKS}/deliveries/retry`,
    body: { event },
    problems: [wrong('event', msg === PATTERN_RULE ? NAME_RULE : msg)],
  })),
  ...badBodies('POST', `${WEBHOOKS}/events/{event}/replay`, {}, []),
  {
    title: 'a subscription that is none',
    method: 'POST',
    path: `${WEBHOOKS}/events/{event}/replay`,
    body: { subscription_id: null },
    problems: [wrong('subscription_id', 'Subscription id must be a UUID')],
  },
  {
    title: 'filters that are none',
    method: 'GET',
    path: `${WEBHOOKS}/events?matched=maybe&event=*&since=now&until=`,
    problems: [
      problem('query', 'matched', 'Matched must be true or false'),
      problem('query', 'event', NAME_RULE),
      problem('query', 'since', timeRule('Since')),
      problem('query', 'until', timeRule('Until')),
    ],
  },
];
