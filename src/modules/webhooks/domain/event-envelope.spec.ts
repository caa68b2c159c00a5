import { expect, it } from '@jest/globals';

import { buildEnvelope } from './event-envelope.js';

it('buildEnvelope writes the envelope of the contract, in its order', () => {
  const envelope = buildEnvelope({
    ...{ event: 'invoice.paid', resourceType: 'invoice', resourceId: 'i1', tenantId: 'acme' },
    ...{ data: { total: 5 }, occurredAt: new Date('2026-01-02T03:04:05.006Z') },
  });
  expect(JSON.stringify(envelope)).toBe(
    '{"event":"invoice.paid","resource_type":"invoice","resource_id":"i1","timestamp":"2026-01-02T03:04:05.006Z",' +
      '"data":{"total":5},"metadata":{"tenant_id":"acme","source":"gestiqcloud","version":"1.0"}}',
  );
});

it('buildEnvelope takes the time of now when none is given', () => {
  const before = Date.now();
  const { timestamp } = buildEnvelope({
    ...{ event: 'a.b', resourceType: 'a', resourceId: '1', tenantId: 't', data: {} },
  });
  expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(timestamp)).toBeLessThanOrEqual(Date.now());
});
