import { badBodies, badIds, badPaging, wrong, type BadRequest } from './bad-request.js';

const INVOICES = '/api/v1/tenant/invoices';
const NUMBER_RULE =
  'Number must be 1–50 letters, digits, dots, slashes, hyphens or underscores, such as F-2026-0042';
const TOTAL_RULE = 'Total must be a whole number of cents from 0 to 90000000000000';

export const BAD_INVOICE_REQUESTS: readonly BadRequest[] = [
  ...badBodies('POST', INVOICES, { number: 'F-9', customer: 'Sol', total_cents: 1, currency: 'EUR' }, [
    'number',
    'customer',
    'total_cents',
    'currency',
  ]),
  {
    title: 'every field wrong at once',
    method: 'POST',
    path: INVOICES,
    body: '{"number":[],"customer":"a\\u0000b","total_cents":1e999,"currency":"ZZZ","send":"yes"}',
    problems: [
      wrong('number', NUMBER_RULE),
      wrong('customer', 'Customer must be 1–200 characters on one line, without spaces at its ends'),
      wrong('total_cents', TOTAL_RULE),
      wrong('currency', 'Currency must be a code of ISO 4217, such as EUR'),
      wrong('send', 'Send must be true or false'),
    ],
  },
  ...badPaging(INVOICES),
  ...badIds('GET', `${INVOICES}/{id}`, 'invoice_not_found'),
  ...['send', 'authorize', 'pay', 'cancel'].flatMap((change) =>
    badIds('POST', `${INVOICES}/{id}/${change}`, 'invoice_not_found'),
  ),
  {
    title: 'half a body',
    method: 'POST',
    path: `${INVOICES}/{invoice}/send`,
    body: '{',
    problems: 'json_invalid',
  },
  {
    title: 'a malformed URL',
    method: 'GET',
    path: `${INVOICES}/%zz`,
    problems: [{ type: 'value_error', loc: ['path'], msg: 'The URL is malformed' }],
  },
  ...['/webhooks/subscriptions', '/api/v1/tenant/webhooks', `${INVOICES}/{invoice}/x`, '/%00'].map(
    (path) => ({
      title: 'an unknown route',
      method: 'GET',
      path,
      status: 404,
      problems: 'not_found',
    }),
  ),
];
