import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { DataSource } from 'typeorm';

import { ChangeInvoiceState } from '../../../src/modules/invoicing/application/change-invoice-state.js';
import {
  CreateInvoice,
  type CreateInvoiceCommand,
} from '../../../src/modules/invoicing/application/create-invoice.js';
import { ReadInvoices } from '../../../src/modules/invoicing/application/read-invoices.js';
import type { Invoice, InvoiceTransition } from '../../../src/modules/invoicing/domain/invoice.js';
import { InvoiceRow } from '../../../src/modules/invoicing/infrastructure/persistence/invoice.row.js';
import { TypeormInvoiceRepository } from '../../../src/modules/invoicing/infrastructure/persistence/typeorm-invoice-repository.js';
import { CheckPayload } from '../../../src/modules/webhooks/application/check-payload.js';
import { EmitEvent } from '../../../src/modules/webhooks/application/emit-event.js';
import { DeliveryMetrics } from '../../../src/modules/webhooks/application/ports/delivery-metrics.js';
import type { AppendResult, NewEvent } from '../../../src/modules/webhooks/application/ports/event-outbox.js';
import { LaneDispatcher } from '../../../src/modules/webhooks/application/ports/lane-dispatcher.js';
import type { Transaction } from '../../../src/modules/webhooks/application/ports/transaction.js';
import { EventCatalogue } from '../../../src/modules/webhooks/domain/event-types/event-catalogue.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { KnownFilters } from '../../../src/modules/webhooks/infrastructure/persistence/known-filters.js';
import { RingAfterCommitSubscriber } from '../../../src/modules/webhooks/infrastructure/persistence/ring-after-commit.subscriber.js';
import { TypeormEventOutbox } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-event-outbox.js';
import { WebhookEmitter } from '../../../src/modules/webhooks/infrastructure/persistence/webhook-emitter.js';
import { AjvSchemaValidator } from '../../../src/modules/webhooks/infrastructure/schemas/ajv-schema-validator.js';
import { FakeClock } from '../../../src/modules/webhooks/testing/fake-clock.js';
import { RecordingLogger } from '../../../src/modules/webhooks/testing/recording-logger.js';
import { testSettings } from '../../../src/modules/webhooks/testing/test-settings.js';
import { dataSourceOptions } from '../../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../../src/platform/database/tenant-transaction.js';
import { UuidV7Generator } from '../../../src/platform/kernel/uuid.js';
import { createMigratedDatabase } from '../../support/migrated-database.js';
import type { TestDatabase } from '../../support/test-database.js';

/** Connections: more than the parallel requests of any test here, so that the rows decide and not the pool. */
const POOL_SIZE = 10;
export const PARALLEL = 6;

/** Strict: what the module emits has to be what the catalogue says. */
const SETTINGS = testSettings({ eventValidation: 'reject' });

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

  constructor() {
    super(new KnownFilters(new RecordingLogger()));
  }

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

  override circuitTurned(): void {
    throw new Error('nothing is sent in these tests');
  }

  override removed(): void {
    throw new Error('nothing is removed in these tests');
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

/** The invoicing module's use cases on a real database, with the ends of the webhooks module recorded. */
export class InvoicingLab {
  tenantId = '';
  subscriptionId = '';
  metrics = new CountingMetrics();
  outbox = new WatchedOutbox();
  dispatcher = new RecordingDispatcher();
  private tests = 0;

  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
    private readonly checks: CheckPayload,
    readonly tenants = new TenantTransaction(dataSource),
    private readonly invoices = new TypeormInvoiceRepository(tenants),
    private readonly ids = new UuidV7Generator(),
  ) {}

  static async open(): Promise<InvoicingLab> {
    const database = await createMigratedDatabase();
    const dataSource = await new DataSource({
      ...dataSourceOptions(database.url, POOL_SIZE),
      entities: [InvoiceRow],
    }).initialize();
    const checks = new CheckPayload(
      new EventCatalogue(),
      new AjvSchemaValidator(),
      SETTINGS,
      new FakeClock(),
      new RecordingLogger(),
    );
    await checks.onModuleInit();
    return new InvoicingLab(database, dataSource, checks);
  }

  /** A tenant of its own for every test, subscribed to everything about invoices. */
  async nextTenant(): Promise<void> {
    this.tenantId = `tenant_${(this.tests += 1)}`;
    this.subscriptionId = this.ids.next();
    this.metrics = new CountingMetrics();
    this.outbox = new WatchedOutbox();
    this.dispatcher = new RecordingDispatcher();
    this.dataSource.subscribers.length = 0;
    new RingAfterCommitSubscriber(this.dataSource, this.dispatcher, this.metrics);
    await this.tenants.run(this.tenantId, (manager) =>
      manager.query(
        `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret) VALUES ($1, $2, 'invoice.*', $3, 'sealed')`,
        [this.tenantId, this.subscriptionId, 'https://hooks.customer.com/gestiqcloud'],
      ),
    );
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  get read(): ReadInvoices {
    return new ReadInvoices(this.invoices);
  }

  create(fields: Partial<CreateInvoiceCommand> = {}): Promise<Invoice> {
    return new CreateInvoice(this.invoices, this.webhooks, this.ids).execute({
      tenantId: this.tenantId,
      number: 'F-1',
      customer: 'Panadería Sol',
      totalCents: 12_100,
      currency: 'EUR',
      send: false,
      ...fields,
    });
  }

  change(id: string, transition: InvoiceTransition, as = this.tenantId): Promise<Invoice> {
    return new ChangeInvoiceState(this.invoices, this.webhooks).execute(as, id, transition);
  }

  /** A new invoice, taken through these. */
  async advance(...transitions: InvoiceTransition[]): Promise<Invoice> {
    let invoice = await this.create();
    for (const transition of transitions) invoice = await this.change(invoice.id, transition);
    return invoice;
  }

  async storedEvents(of = this.tenantId): Promise<Stored[]> {
    return this.tenants.run(of, (manager) =>
      manager.query<Stored[]>(
        `SELECT e.event, e.payload::text AS payload, e.xmin::text AS xmin,
                coalesce((SELECT json_agg(json_build_object('xmin', d.xmin::text, 'status', d.status))
                            FROM webhook_deliveries d WHERE d.event_id = e.id), '[]') AS deliveries
           FROM webhook_events e ORDER BY e.id`,
      ),
    );
  }

  async eventNames(of = this.tenantId): Promise<string[]> {
    return (await this.storedEvents(of)).map(({ event }) => event);
  }

  async xminOf(id: string): Promise<string> {
    const rows = await this.tenants.run(this.tenantId, (manager) =>
      manager.query<{ xmin: string }[]>('SELECT xmin::text AS xmin FROM invoices WHERE id = $1', [id]),
    );
    return rows[0]!.xmin;
  }

  private get webhooks(): WebhookEmitter {
    return new WebhookEmitter(new EmitEvent(this.outbox, this.ids, SETTINGS, this.checks));
  }
}

/** Registers the hooks of a suite; the lab is there in its tests, with a new tenant in each. */
export function useInvoicingLab(): () => InvoicingLab {
  let lab: InvoicingLab | undefined;
  beforeAll(async () => {
    lab = await InvoicingLab.open();
  }, 180_000);
  beforeEach(() => lab?.nextTenant());
  afterAll(() => lab?.close());
  return () => {
    if (lab === undefined) throw new Error('the lab is open in hooks and tests alone');
    return lab;
  };
}
