import { describe, expect, it } from '@jest/globals';

import { isOperational, operationalEvent, type Notice, type NoticeKind } from './operational-event.js';
import { DEACTIVATED_BY_FAILING, DEACTIVATED_BY_GONE, DEACTIVATED_BY_TENANT } from './subscription.js';

const AT = new Date('2026-11-24T09:00:00.000Z');
const ENDPOINT = { id: 'S', url: 'https://hooks.customer.com/in?token=t', events: ['invoice.*'] };
const ABOUT = { subscription_id: 'S', url: 'https://hooks.customer.com/in', events: ['invoice.*'] };

describe('operational events', () => {
  it.each<[NoticeKind, Notice['details'], string, string, object]>([
    ...(['failing', 'recovered'] as const).map(
      (kind): [NoticeKind, Notice['details'], string, string, object] => [
        ...([kind, { reason: 'why' }, `webhook.endpoint.${kind}`, 'S', { reason: 'why' }] as const),
      ],
    ),
    ...(
      [
        [DEACTIVATED_BY_GONE, 'gone'],
        [DEACTIVATED_BY_FAILING, 'failing'],
        [DEACTIVATED_BY_TENANT, 'manual'],
      ] as const
    ).map(([reason, disabled]): [NoticeKind, Notice['details'], string, string, object] => [
      ...(['disabled', { reason }, 'webhook.endpoint.disabled', 'S'] as const),
      { reason, disabled_reason: disabled },
    ]),
    [
      ...(['exhausted', { delivery_id: 'D', attempts: 4 }, 'webhook.delivery.exhausted', 'D'] as const),
      { delivery_id: 'D', attempts: 4, count: 3 },
    ],
  ])('%s with %j', (kind, details, event, id, data) => {
    const told = operationalEvent('acme', { kind, at: AT, details, count: 3, endpoint: ENDPOINT });
    expect(told).toEqual({
      event,
      payload: {
        event,
        resource_type: kind === 'exhausted' ? 'webhook_delivery' : 'webhook_endpoint',
        resource_id: id,
        timestamp: AT.toISOString(),
        data: { ...ABOUT, ...data },
        metadata: { tenant_id: 'acme', source: 'gestiqcloud', version: '1.0' },
      },
    });
    expect(isOperational(event)).toBe(true);
  });

  it.each(['invoice.paid', 'webhook', 'webhook.other'])('%s is none', (event) => {
    expect(isOperational(event)).toBe(false);
  });
});
