import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';

import { ChangeInvoiceState } from '../../src/modules/invoicing/application/change-invoice-state.js';
import {
  CreateInvoice,
  type CreateInvoiceCommand,
} from '../../src/modules/invoicing/application/create-invoice.js';
import { publicInvoice } from '../../src/modules/invoicing/application/public-invoice.js';
import { ReadInvoices } from '../../src/modules/invoicing/application/read-invoices.js';
import type { Invoice, InvoiceTransition } from '../../src/modules/invoicing/domain/invoice.js';
import { InvoiceRow } from '../../src/modules/invoicing/infrastructure/persistence/invoice.row.js';
import { TypeormInvoiceRepository } from '../../src/modules/invoicing/infrastructure/persistence/typeorm-invoice-repository.js';
import { EmitEvent } from '../../src/modules/webhooks/application/emit-event.js';
import type { AppendResult, NewEvent } from '../../src/modules/webhooks/application/ports/event-outbox.js';
import type { Transaction } from '../../src/modules/webhooks/application/ports/transaction.js';
import { DeliveryMetrics } from '../../src/modules/webhooks/application/ports/delivery-metrics.js';
import { LaneDispatcher } from '../../src/modules/webhooks/application/ports/lane-dispatcher.js';
import type { Lane } from '../../src/modules/webhooks/domain/lane.js';
import { RingAfterCommitSubscriber } from '../../src/modules/webhooks/infrastructure/persistence/ring-after-commit.subscriber.js';
import { TypeormEventOutbox } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-event-outbox.js';
import { WebhookEmitter } from '../../src/modules/webhooks/infrastructure/persistence/webhook-emitter.js';
import { AppModule } from '../../src/app.module.js';
import { mintToken } from '../../src/platform/auth/mint-token.js';
import { readConfiguration } from '../../src/platform/config/configuration.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { configureHttpApp, fastifyAdapter } from '../../src/platform/http/configure-http-app.js';
import { UuidV7Generator } from '../../src/platform/kernel/uuid.js';
import { PinoAppLogger } from '../../src/platform/observability/pino-app-logger.js';
import { ApiClient } from '../support/api-client.js';
import { describeWithPostgres, testDatabaseUrl } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Connections: more than the parallel requests of any test here, so that the rows decide and not the pool. */
const POOL_SIZE = 10;
const PARALLEL = 6;

/** `xmin` is the transaction that wrote a row's version: equal ones committed together. */
interface Stored {
  readonly event: string;
  readonly payload: string;
  readonly xmin: string;
  readonly deliveries: { readonly xmin: string; readonly status: string }[];
}

/** What `emit` was asked for, whether it was committed or not. */
class WatchedOutbox extends TypeormEventOutbox {
  readonly appended: string[] = [];

  override async append(transaction: Transaction, event: NewEvent): Promise<AppendResult> {
    this.appended.push(event.event);
    return super.append(transaction, event);
  }
}

class CountingMetrics extends DeliveryMetrics {
  readonly emittedEvents: string[] = [];

  override attempted(): void {
    throw new Error('nothing is sent in these tests');
  }

  override emitted(event: string): void {
    this.emittedEvents.push(event);
  }
}

class RecordingDispatcher extends LaneDispatcher {
  readonly rung: Lane[] = [];

  override ring(lanes: readonly Lane[]): void {
    this.rung.push(...lanes);
  }

  override ringAfter(): void {
    throw new Error('nothing is retried in these tests');
  }

  override async afterRequest(): Promise<void> {
    throw new Error('no delivery is requested in these tests');
  }
}

describeWithPostgres('invoicing', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let tenants: TenantTransaction;
  let metrics: CountingMetrics;
  let outbox: WatchedOutbox;
  let dispatcher: RecordingDispatcher;
  let create: (change?: Partial<CreateInvoiceCommand>) => Promise<Invoice>;
  let change: (id: string, transition: InvoiceTransition, as?: string) => Promise<Invoice>;
  let read: ReadInvoices;
  let tenantId = '';
  let subscriptionId = '';
  let tests = 0;

  beforeAll(async () => {
    database = await createTestDatabase(testDatabaseUrl());
    await migrate(database.url);
    dataSource = await new DataSource({
      ...dataSourceOptions(database.url, POOL_SIZE),
      entities: [InvoiceRow],
    }).initialize();
    tenants = new TenantTransaction(dataSource);
  }, 60_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** A tenant of its own for every test, subscribed to everything about invoices. */
  beforeEach(async () => {
    tenantId = `tenant_${(tests += 1)}`;
    const ids = new UuidV7Generator();
    subscriptionId = ids.next();
    metrics = new CountingMetrics();
    outbox = new WatchedOutbox();
    dispatcher = new RecordingDispatcher();
    dataSource.subscribers.length = 0;
    new RingAfterCommitSubscriber(dataSource, dispatcher, metrics);
    const invoices = new TypeormInvoiceRepository(tenants);
    const webhooks = new WebhookEmitter(new EmitEvent(outbox, ids));
    const createInvoice = new CreateInvoice(invoices, webhooks, ids);
    const changeInvoiceState = new ChangeInvoiceState(invoices, webhooks);
    read = new ReadInvoices(invoices);
    create = (fields = {}) =>
      createInvoice.execute({
        tenantId,
        number: 'F-1',
        customer: 'Panadería Sol',
        totalCents: 12_100,
        currency: 'EUR',
        send: false,
        ...fields,
      });
    change = (id, transition, as = tenantId) => changeInvoiceState.execute(as, id, transition);
    await tenants.run(tenantId, (manager) =>
      manager.query(
        `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret) VALUES ($1, $2, 'invoice.*', $3, 'sealed')`,
        [tenantId, subscriptionId, 'https://hooks.customer.com/gestiqcloud'],
      ),
    );
  });

  async function storedEvents(of = tenantId): Promise<Stored[]> {
    return tenants.run(of, (manager) =>
      manager.query<Stored[]>(
        `SELECT e.event, e.payload::text AS payload, e.xmin::text AS xmin,
                coalesce((SELECT json_agg(json_build_object('xmin', d.xmin::text, 'status', d.status))
                            FROM webhook_deliveries d WHERE d.event_id = e.id), '[]') AS deliveries
           FROM webhook_events e ORDER BY e.id`,
      ),
    );
  }

  async function xminOf(id: string): Promise<string> {
    const rows = await tenants.run(tenantId, (manager) =>
      manager.query<{ xmin: string }[]>('SELECT xmin::text AS xmin FROM invoices WHERE id = $1', [id]),
    );
    return rows[0]!.xmin;
  }

  async function eventNames(of = tenantId): Promise<string[]> {
    return (await storedEvents(of)).map(({ event }) => event);
  }

  async function advance(...transitions: InvoiceTransition[]): Promise<Invoice> {
    let invoice = await create();
    for (const transition of transitions) invoice = await change(invoice.id, transition);
    return invoice;
  }

  it('commits each state together with its event and deliveries, and rings once that is done', async () => {
    let invoice = await create();
    const steps: [InvoiceTransition | null, string, string][] = [
      [null, 'draft', 'invoice.created'],
      ['send', 'sent', 'invoice.sent'],
      ['authorize', 'authorized', 'invoice.authorized'],
      ['pay', 'paid', 'invoice.paid'],
    ];
    for (const [index, [transition, status, event]] of steps.entries()) {
      if (transition !== null) invoice = await change(invoice.id, transition);
      expect(invoice.status).toBe(status);
      const xmin = await xminOf(invoice.id);
      const stored = (await storedEvents())[index]!;
      expect(stored).toMatchObject({ event, xmin, deliveries: [{ xmin, status: 'PENDING' }] });
      expect(JSON.parse(stored.payload)).toEqual({
        event,
        resource_type: 'invoice',
        resource_id: invoice.id,
        timestamp: invoice.updatedAt.toISOString(),
        data: publicInvoice(invoice),
        metadata: { tenant_id: tenantId, source: 'gestiqcloud', version: '1.0' },
      });
      expect(dispatcher.rung).toHaveLength(index + 1);
    }
    expect(dispatcher.rung[0]).toEqual({ tenantId, subscriptionId });
  });

  it('tells of a cancellation', async () => {
    const invoice = await advance('send', 'cancel');
    expect(invoice.status).toBe('cancelled');
    expect(await eventNames()).toEqual(['invoice.created', 'invoice.sent', 'invoice.cancelled']);
  });

  it('creates and sends in one transaction, one event after the other', async () => {
    const invoice = await create({ send: true });
    const xmin = await xminOf(invoice.id);
    expect(invoice.status).toBe('sent');
    expect(await storedEvents()).toMatchObject([
      { event: 'invoice.created', xmin },
      { event: 'invoice.sent', xmin },
    ]);
  });

  it('leaves nothing of an event that was emitted before its transaction was rolled back', async () => {
    const refused = create({ totalCents: 0, send: true });
    await expect(refused).rejects.toMatchObject({ code: 'invoice_transition_not_allowed', kind: 'conflict' });
    expect(outbox.appended).toEqual(['invoice.created']); // so there was something to take back
    expect(metrics.emittedEvents).toEqual([]);
    expect(await read.list(tenantId, 100)).toEqual([]);
    expect(await storedEvents()).toEqual([]);
    expect(dispatcher.rung).toEqual([]);
    const deliveries = await tenants.run(tenantId, (manager) =>
      manager.query('SELECT id FROM webhook_deliveries'),
    );
    expect(deliveries).toEqual([]);
  });

  it('refuses an illegal transition: the row is not written and nothing is emitted', async () => {
    const invoice = await advance('send');
    const xmin = await xminOf(invoice.id);
    const refused = change(invoice.id, 'pay');
    await expect(refused).rejects.toMatchObject({ code: 'invoice_transition_not_allowed', kind: 'conflict' });
    await expect(refused).rejects.toThrow('F-1 is sent');
    expect(await read.get(tenantId, invoice.id)).toEqual(invoice);
    expect(await xminOf(invoice.id)).toBe(xmin);
    expect(await eventNames()).toEqual(['invoice.created', 'invoice.sent']);
  });

  it('pays once, however many pay at the same moment', async () => {
    const { id } = await advance('send', 'authorize');
    const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, () => change(id, 'pay')));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'invoice_transition_not_allowed' });
    }
    expect((await eventNames()).filter((event) => event === 'invoice.paid')).toHaveLength(1);
  });

  it('gives a number once within a tenant, however many ask for it at the same moment', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, () => create()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'duplicate_invoice_number', kind: 'conflict' });
    }
    expect(await eventNames()).toEqual(['invoice.created']);
    const other = await create({ tenantId: `${tenantId}_other` });
    expect(other.number).toBe('F-1');
  });

  it('answers for the invoice of another tenant as for one that does not exist', async () => {
    const { id } = await create();
    const other = `${tenantId}_other`;
    const unknown = new UuidV7Generator().next();
    for (const candidate of [id, unknown]) {
      const notFound = { code: 'invoice_not_found', kind: 'not_found', message: 'No such invoice.' };
      await expect(read.get(other, candidate)).rejects.toMatchObject(notFound);
      await expect(change(candidate, 'cancel', other)).rejects.toMatchObject(notFound);
    }
    expect(await read.list(other, 100)).toEqual([]);
    expect(await storedEvents(other)).toEqual([]);
    expect((await read.get(tenantId, id)).status).toBe('draft');
  });

  it('shows no invoice to a transaction without a tenant, nor stores one for another tenant', async () => {
    await create();
    const rows = await dataSource.transaction(async (manager) => {
      await manager.query(`SELECT set_config('role', 'webhooks_tenant', true)`);
      return manager.query<unknown[]>('SELECT id FROM invoices');
    });
    expect(rows).toEqual([]);
    const foreign = tenants.run(tenantId, (manager) =>
      manager.query(
        `INSERT INTO invoices (tenant_id, id, number, customer, total_cents, currency)
         VALUES ('somebody_else', gen_random_uuid(), 'X-1', 'X', 1, 'EUR')`,
      ),
    );
    await expect(foreign).rejects.toThrow('row-level security');
  });

  it('lists the newest first, and no more than asked for', async () => {
    for (const number of ['F-1', 'F-2', 'F-3']) await create({ number });
    const numbers = async (limit: number): Promise<string[]> =>
      (await read.list(tenantId, limit)).map((invoice) => invoice.number);
    expect(await numbers(100)).toEqual(['F-3', 'F-2', 'F-1']);
    expect(await numbers(2)).toEqual(['F-3', 'F-2']);
  });

  it('keeps the largest total to the cent', async () => {
    const { id } = await create({ totalCents: 90_000_000_000_000 });
    expect((await read.get(tenantId, id)).totalCents).toBe(90_000_000_000_000);
  });

  it('declares the row exactly as the migration makes the table', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});

const JWT_SECRET = 'integration-secret-of-32-characters';
const ROUTE = '/api/v1/tenant/invoices';
const DRAFT = { number: 'F-2026-0042', customer: 'Panadería Sol', total_cents: 12_100, currency: 'eur' };

interface Answer {
  readonly status: number;
  readonly body: any;
}

describeWithPostgres('invoicing over REST', () => {
  let database: TestDatabase;
  let app: NestFastifyApplication;
  let tests = 0;
  let url = '';
  let token = '';

  beforeAll(async () => {
    database = await createTestDatabase(testDatabaseUrl());
    await migrate(database.url);
    const configuration = readConfiguration({
      DATABASE_URL: database.url,
      JWT_SECRET,
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ROLE: 'api', // stores and serves, delivers nothing
      LOG_LEVEL: 'silent',
    });
    const logger = new PinoAppLogger(configuration.log);
    const testing = await Test.createTestingModule({
      imports: [AppModule.forRoot(configuration, database.url, logger)],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(fastifyAdapter(configuration.server), {
      bodyParser: false,
      logger: false,
    });
    await configureHttpApp(app, configuration.server, logger);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  }, 60_000);

  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    token = await mintToken({ secret: JWT_SECRET, tenantId: `rest_${(tests += 1)}` });
  });

  async function ask(method: 'GET' | 'POST', path: string, body?: object, as = token): Promise<Answer> {
    const { status, body: answer } = await new ApiClient(url, as).request(method, path, { body });
    return { status, body: answer };
  }

  const post = (path: string, body?: object): Promise<Answer> => ask('POST', ROUTE + path, body);

  it('takes an invoice from draft to paid', async () => {
    const created = await post('', DRAFT);
    expect(created).toEqual({
      status: 201,
      body: {
        ...DRAFT,
        currency: 'EUR',
        id: expect.any(String),
        status: 'draft',
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    });
    const path = `/${created.body.id}`;
    for (const [route, status] of [
      ['send', 'sent'],
      ['authorize', 'authorized'],
      ['pay', 'paid'],
    ]) {
      expect(await post(`${path}/${route}`)).toMatchObject({
        status: 200,
        body: { ...created.body, status, updated_at: expect.any(String) },
      });
    }
    const read = await ask('GET', ROUTE + path);
    expect(read).toMatchObject({ status: 200, body: { status: 'paid' } });
    expect(await ask('GET', `${ROUTE}?limit=1`)).toEqual({ status: 200, body: [read.body] });
  });

  it('refuses with stable codes', async () => {
    const { id } = (await post('', DRAFT)).body;
    expect(await post('', DRAFT)).toEqual({ status: 409, body: { detail: 'duplicate_invoice_number' } });
    const illegal = { status: 409, body: { detail: 'invoice_transition_not_allowed' } };
    expect(await post(`/${id}/pay`)).toEqual(illegal);
    expect((await post(`/${id}/cancel`)).body.status).toBe('cancelled');
    expect(await post(`/${id}/cancel`)).toEqual(illegal);
    const unknown = { status: 404, body: { detail: 'invoice_not_found' } };
    for (const missing of [new UuidV7Generator().next(), 'no-uuid']) {
      expect(await ask('GET', `${ROUTE}/${missing}`)).toEqual(unknown);
      expect(await post(`/${missing}/send`)).toEqual(unknown);
    }
    const stranger = await mintToken({ secret: JWT_SECRET, tenantId: 'stranger' });
    expect(await ask('GET', `${ROUTE}/${id}`, undefined, stranger)).toEqual(unknown);
    expect(await ask('POST', `${ROUTE}/${id}/send`, undefined, stranger)).toEqual(unknown);
    const reader = await mintToken({ secret: JWT_SECRET, tenantId: 'stranger', scope: 'webhooks:read' });
    expect(await ask('POST', ROUTE, DRAFT, reader)).toEqual({
      status: 403,
      body: { detail: 'insufficient_scope' },
    });
  });

  it('does not create what it is to send and cannot', async () => {
    expect(await post('', { ...DRAFT, total_cents: 0, send: true })).toEqual({
      status: 409,
      body: { detail: 'invoice_transition_not_allowed' },
    });
    expect((await ask('GET', ROUTE)).body).toEqual([]);
    expect(await post('', { ...DRAFT, send: true })).toMatchObject({ status: 201, body: { status: 'sent' } });
  });

  it.each([
    ['number', ['', 'ä', '-1', 'F 1', 'x'.repeat(51), 7, null, undefined]],
    ['customer', ['', ' Sol', 'Sol ', 'a\nb', 'a\u0000b', '\ud800', 'x'.repeat(201), {}, undefined]],
    ['total_cents', [-1, 0.5, '12', 90_000_000_000_001, null, undefined]],
    ['currency', ['', 'EURO', 'ZZZ', 978, undefined]],
    ['send', ['yes', 1, null]],
    ['note', ['unknown field']],
  ])('refuses a bad %s, once and by name', async (field, values) => {
    for (const value of values) {
      const answer = await post('', { ...DRAFT, [field]: value });
      expect(answer).toMatchObject({ status: 400, body: { detail: [{ loc: ['body', field] }] } });
      expect(answer.body.detail).toHaveLength(1);
    }
    expect((await ask('GET', ROUTE)).body).toEqual([]);
  });

  it.each(['0', '101', '1.5', 'x', ''])('refuses limit=%s', async (limit) => {
    const answer = await ask('GET', `${ROUTE}?limit=${limit}`);
    expect(answer).toMatchObject({ status: 400, body: { detail: [{ loc: ['query', 'limit'] }] } });
  });

  it('documents every route with its errors', () => {
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const documented = (path: string, method: 'get' | 'post'): string[] =>
      Object.keys(paths[ROUTE + path]?.[method]?.responses ?? {}).sort();
    expect(documented('', 'post')).toEqual(['201', '400', '401', '403', '409', '413', '415']);
    expect(documented('', 'get')).toEqual(['200', '400', '401', '403']);
    expect(documented('/{id}', 'get')).toEqual(['200', '401', '403', '404']);
    for (const change of ['send', 'authorize', 'pay', 'cancel'])
      expect(documented(`/{id}/${change}`, 'post')).toEqual(['200', '401', '403', '404', '409']);
  });
});
