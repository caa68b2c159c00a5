import { badBodies, unknown, wrong, type BadRequest } from './bad-request.js';

const LINKS = '/api/v1/tenant/webhooks/panel-sessions';
const SESSION = '/panel/session';

export const BAD_PANEL_REQUESTS: readonly BadRequest[] = [
  ...badBodies('POST', LINKS, {}, []),
  ...[7, 'true', null, [], {}].map((readOnly) => ({
    title: `read_only ${JSON.stringify(readOnly)}`,
    ...{ method: 'POST', path: LINKS, body: { read_only: readOnly } },
    problems: [wrong('read_only', 'Read only must be true or false')],
  })),
  {
    title: 'scopes of its own',
    ...{ method: 'POST', path: LINKS, body: { scope: 'webhooks:admin', tenant_id: 'other' } },
    problems: [unknown('scope'), unknown('tenant_id')],
  },
  ...badBodies('POST', SESSION, { token: 'AAAAAAAAAAAAAAAAAAAAAA' }, ['token']),
  ...[7, null, [], {}].map((token) => ({
    title: `token ${JSON.stringify(token)}`,
    ...{ method: 'POST', path: SESSION, body: { token } },
    problems: [
      wrong('token', 'Token must be a string'),
      wrong('token', 'Token must be at most 100 characters'),
    ],
  })),
  {
    title: 'a token that is too long',
    ...{ method: 'POST', path: SESSION, body: { token: 'x'.repeat(101) } },
    problems: [wrong('token', 'Token must be at most 100 characters')],
  },
  {
    title: 'a session for another page',
    ...{ method: 'POST', path: SESSION, body: { token: 'AAAAAAAAAAAAAAAAAAAAAA' }, status: 403 },
    problems: 'cross_origin_refused',
  },
  {
    title: 'the end of a session by another page',
    ...{ method: 'DELETE', path: SESSION, headers: { origin: 'https://evil.example.com' }, status: 403 },
    problems: 'cross_origin_refused',
  },
  {
    title: 'a session of no tenant without the scope for it',
    ...{ method: 'POST', path: '/api/v1/admin/webhooks/panel-sessions', status: 403 },
    problems: 'insufficient_scope',
  },
];
