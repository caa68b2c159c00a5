import { expect, it } from '@jest/globals';

import { publicInvoice } from '../../../src/modules/invoicing/application/public-invoice.js';
import type { InvoiceTransition } from '../../../src/modules/invoicing/domain/invoice.js';
import { describeWithPostgres } from '../../support/servers.js';
import { useInvoicingLab } from './invoicing-lab.js';

describeWithPostgres('events of invoices', () => {
  const lab = useInvoicingLab();

  it('commits each state together with its event and deliveries, and rings once that is done', async () => {
    let invoice = await lab().create();
    const steps: [InvoiceTransition | null, string, string][] = [
      [null, 'draft', 'invoice.created'],
      ['send', 'sent', 'invoice.sent'],
      ['authorize', 'authorized', 'invoice.authorized'],
      ['pay', 'paid', 'invoice.paid'],
    ];
    for (const [index, [transition, status, event]] of steps.entries()) {
      if (transition !== null) invoice = await lab().change(invoice.id, transition);
      expect(invoice.status).toBe(status);
      const xmin = await lab().xminOf(invoice.id);
      const stored = (await lab().storedEvents())[index]!;
      expect(stored).toMatchObject({ event, xmin, deliveries: [{ xmin, status: 'PENDING' }] });
      expect(JSON.parse(stored.payload)).toEqual({
        event,
        resource_type: 'invoice',
        resource_id: invoice.id,
        timestamp: invoice.updatedAt.toISOString(),
        data: publicInvoice(invoice),
        metadata: { tenant_id: lab().tenantId, source: 'gestiqcloud', version: '1.0' },
      });
      expect(lab().dispatcher.rung).toHaveLength(index + 1);
    }
    expect(lab().dispatcher.rung[0]).toEqual({
      tenantId: lab().tenantId,
      subscriptionId: lab().subscriptionId,
    });
  });

  it('tells of a cancellation', async () => {
    const invoice = await lab().advance('send', 'cancel');
    expect(invoice.status).toBe('cancelled');
    expect(await lab().eventNames()).toEqual(['invoice.created', 'invoice.sent', 'invoice.cancelled']);
  });

  it('creates and sends in one transaction, one event after the other', async () => {
    const invoice = await lab().create({ send: true });
    const xmin = await lab().xminOf(invoice.id);
    expect(invoice.status).toBe('sent');
    expect(await lab().storedEvents()).toMatchObject([
      { event: 'invoice.created', xmin },
      { event: 'invoice.sent', xmin },
    ]);
  });

  it('leaves nothing of an event that was emitted before its transaction was rolled back', async () => {
    const refused = lab().create({ totalCents: 0, send: true });
    await expect(refused).rejects.toMatchObject({ code: 'invoice_transition_not_allowed', kind: 'conflict' });
    expect(lab().outbox.appended).toEqual(['invoice.created']); // so there was something to take back
    expect(lab().metrics.emittedEvents).toEqual([]);
    expect(await lab().read.list(lab().tenantId, 100, null)).toEqual({ invoices: [], hasMore: false });
    expect(await lab().storedEvents()).toEqual([]);
    expect(lab().dispatcher.rung).toEqual([]);
    const deliveries = await lab().tenants.run(lab().tenantId, (manager) =>
      manager.query('SELECT id FROM webhook_deliveries'),
    );
    expect(deliveries).toEqual([]);
  });

  it('refuses an illegal transition: the row is not written and nothing is emitted', async () => {
    const invoice = await lab().advance('send');
    const xmin = await lab().xminOf(invoice.id);
    const refused = lab().change(invoice.id, 'pay');
    await expect(refused).rejects.toMatchObject({ code: 'invoice_transition_not_allowed', kind: 'conflict' });
    await expect(refused).rejects.toThrow('F-1 is sent');
    expect(await lab().read.get(lab().tenantId, invoice.id)).toEqual(invoice);
    expect(await lab().xminOf(invoice.id)).toBe(xmin);
    expect(await lab().eventNames()).toEqual(['invoice.created', 'invoice.sent']);
  });
});
