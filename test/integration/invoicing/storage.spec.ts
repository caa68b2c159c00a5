import { expect, it } from '@jest/globals';

import { UuidV7Generator } from '../../../src/platform/kernel/uuid.js';
import { describeWithPostgres } from '../../support/servers.js';
import { PARALLEL, useInvoicingLab } from './invoicing-lab.js';

describeWithPostgres('invoices in the database', () => {
  const lab = useInvoicingLab();

  it('pays once, however many pay at the same moment', async () => {
    const { id } = await lab().advance('send', 'authorize');
    const outcomes = await Promise.allSettled(
      Array.from({ length: PARALLEL }, () => lab().change(id, 'pay')),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'invoice_transition_not_allowed' });
    }
    expect((await lab().eventNames()).filter((event) => event === 'invoice.paid')).toHaveLength(1);
  });

  it('gives a number once within a tenant, however many ask for it at the same moment', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, () => lab().create()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'duplicate_invoice_number', kind: 'conflict' });
    }
    expect(await lab().eventNames()).toEqual(['invoice.created']);
    const other = await lab().create({ tenantId: `${lab().tenantId}_other` });
    expect(other.number).toBe('F-1');
  });

  it('answers for the invoice of another tenant as for one that does not exist', async () => {
    const { id } = await lab().create();
    const other = `${lab().tenantId}_other`;
    const unknown = new UuidV7Generator().next();
    for (const candidate of [id, unknown]) {
      const notFound = { code: 'invoice_not_found', kind: 'not_found', message: 'No such invoice.' };
      await expect(lab().read.get(other, candidate)).rejects.toMatchObject(notFound);
      await expect(lab().change(candidate, 'cancel', other)).rejects.toMatchObject(notFound);
    }
    expect(await lab().read.list(other, 100, null)).toEqual({ invoices: [], hasMore: false });
    expect(await lab().storedEvents(other)).toEqual([]);
    expect((await lab().read.get(lab().tenantId, id)).status).toBe('draft');
  });

  it('shows no invoice to a transaction without a tenant, nor stores one for another tenant', async () => {
    await lab().create();
    const rows = await lab().dataSource.transaction(async (manager) => {
      await manager.query(`SELECT set_config('role', 'webhooks_tenant', true)`);
      return manager.query<unknown[]>('SELECT id FROM invoices');
    });
    expect(rows).toEqual([]);
    const foreign = lab().tenants.run(lab().tenantId, (manager) =>
      manager.query(
        `INSERT INTO invoices (tenant_id, id, number, customer, total_cents, currency)
         VALUES ('somebody_else', gen_random_uuid(), 'X-1', 'X', 1, 'EUR')`,
      ),
    );
    await expect(foreign).rejects.toThrow('row-level security');
  });

  it('lists the newest first, and no more than asked for', async () => {
    for (const number of ['F-1', 'F-2', 'F-3']) await lab().create({ number });
    const numbers = async (limit: number): Promise<string[]> => {
      const page = await lab().read.list(lab().tenantId, limit, null);
      expect(page.hasMore).toBe(limit < 3);
      return page.invoices.map((invoice) => invoice.number);
    };
    expect(await numbers(100)).toEqual(['F-3', 'F-2', 'F-1']);
    expect(await numbers(3)).toEqual(['F-3', 'F-2', 'F-1']);
    expect(await numbers(2)).toEqual(['F-3', 'F-2']);
  });

  it('keeps the largest total to the cent', async () => {
    const { id } = await lab().create({ totalCents: 90_000_000_000_000 });
    expect((await lab().read.get(lab().tenantId, id)).totalCents).toBe(90_000_000_000_000);
  });

  it('declares the row exactly as the migration makes the table', async () => {
    const { upQueries } = await lab().dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});
