import { randomBytes, type JsonWebKey } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';

import { eventually } from '../../support/eventually.js';
import type { TestDatabase } from '../../support/test-database.js';
import { violationsOf } from './checker.js';
import type { CutOffNetwork } from './cut-off-network.js';
import { EmitterProcess, type Emitter, type EventToEmit } from './emitter-process.js';
import type {
  AttemptState,
  ClosedTime,
  DeliveryState,
  EmittedEvent,
  Fate,
  Incident,
  RunHistory,
} from './history.js';
import type { FaultServers } from './fault-servers.js';
import { NOTE_GAPS, NOTED_GAPS, urlOfWorker, type NotedGap } from './gaps.js';
import { HistoryReceiver } from './history-receiver.js';
import { isKeptBack, retriesOf, stepMsOf, type Lane, type LaneWish } from './lanes.js';
import { LeaseWatch, type ExpiredLease } from './lease-watch.js';
import { keyOf } from './ordering-keys.js';
import { BROKER, BUILD } from './settings.js';
import { signatureProblem } from './signed.js';
import { NOTE_SLOTS, NOTED_SLOTS, slotsOf, type NotedSlots } from './slots.js';
import { Worker, type WorkerOptions } from './worker.js';

const DELIVERIES = `
SELECT d.id, (e.payload->>'number')::int AS "eventNumber", (e.payload->>'lane')::int AS lane, d.status, d.attempts,
       d.auto_attempts AS "autoAttempts", d.interruptions, d.last_error AS "lastError"
  FROM webhook_deliveries d JOIN webhook_events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id`;

const ATTEMPTS = `
SELECT delivery_id AS "deliveryId", number, trigger, probe AS "isProbe", status_code AS "statusCode", error_class AS "errorClass", error,
       duration_ms AS "durationMs"
  FROM webhook_attempts ORDER BY delivery_id, number`;

/* Nobody gives any back while no process gives a sign of life, for whatever reason. */
const EXPIRED_LEASES = `
SELECT id AS "deliveryId", leased_until::text AS "leasedUntil"
  FROM webhook_deliveries WHERE status = 'SENDING' AND leased_until < now()
   AND EXISTS (SELECT FROM webhook_workers w WHERE w.alive_until > now())`;

/** Lines of each process that a run which does not come to rest shows. */
const COMPLAINTS = 8;

/* More than anybody may ask for: what these tests make fail is to be tried on. */
const WITHOUT_CIRCUITS = `
UPDATE webhook_subscriptions
   SET settings = '{"circuit": {"failures": 1000000, "percent": 100, "min_attempts": 1000000}}'`;

export interface LabOptions {
  /** Subscriptions, each with an event name and a URL of its own; default 1. */
  readonly lanes?: number;
  /** Tenants that the lanes are dealt out to; default 1. */
  readonly tenants?: number;
  readonly maxRetries?: number;
  /** The budget of an attempt; default 10: what a busy machine must not take for a receiver that hangs. */
  readonly timeoutSeconds?: number;
  /** What rings go through; without it every worker works by its own sweep alone. Default as the run is told to, otherwise Redis. */
  readonly broker?: 'redis' | 'postgres' | null;
  /** Whether endpoints that fail are left alone. Default false. */
  readonly circuits?: boolean;
  /** What a lane asks for; default: nothing. */
  readonly wishOf?: (lane: number) => LaneWish;
  /** From where receivers must be reached as well. */
  readonly network?: CutOffNetwork;
}

export interface EmitOptions {
  /** Which lanes take turns; default all. */
  readonly lanes?: readonly number[];
  /** Every n-th transaction is rolled back after its emit; default none. */
  readonly rollBackEvery?: number;
  /** Transactions open at a time; default 8. */
  readonly concurrency?: number;
  readonly emitter?: Emitter;
}

/**
 * One experiment: a database and a queue of its own, a receiver that keeps the history, an emitting process, and worker
 * processes to be killed. Ends with {@link violations}.
 */
export class FaultLab {
  readonly incidents: Incident[] = [];
  /** Noted by whoever closes lanes. */
  readonly closed: ClosedTime[] = [];
  readonly workers: Worker[] = [];
  private readonly lanes: Lane[] = [];
  private readonly events = new Map<number, EmittedEvent>();
  /** In processes of their own, to be killed. */
  private readonly mortal: EmitterProcess[] = [];
  private readonly leases = new LeaseWatch();
  private readonly env: Readonly<Record<string, string>>;
  private mainEmitter: Emitter | null = null;

  private constructor(
    readonly servers: FaultServers,
    readonly receiver: HistoryReceiver,
    private readonly database: TestDatabase,
    private readonly pool: pg.Pool,
    private readonly maxRetries: number,
    private readonly timeoutSeconds: number,
    broker: 'redis' | 'postgres' | null,
    private readonly network: CutOffNetwork | null,
  ) {
    this.env = {
      DATABASE_URL: database.url,
      ...(broker === 'redis' ? { REDIS_URL: servers.redis.url } : {}),
      ...(broker === 'postgres' ? { WEBHOOK_BROKER: 'postgres' } : {}),
      WEBHOOK_QUEUE_PREFIX: database.name,
      JWT_SECRET: randomBytes(24).toString('hex'),
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ALLOW_INSECURE_TARGETS: network === null ? 'loopback' : 'true',
      WEBHOOK_TIMEOUT_SECONDS: String(timeoutSeconds),
      WEBHOOK_MAX_RETRIES: String(maxRetries),
      WEBHOOK_API_RATE_LIMIT_PER_MINUTE: '0',
      FAULTS_BUILD: BUILD,
      LOG_LEVEL: 'warn',
    };
  }

  static async start(servers: FaultServers, options: LabOptions = {}): Promise<FaultLab> {
    const {
      lanes = 1,
      tenants = 1,
      maxRetries = 3,
      timeoutSeconds = 10,
      broker = BROKER,
      circuits = false,
      wishOf = () => ({}),
      network = null,
    } = options;
    const receiver = await HistoryReceiver.start();
    const database = await servers.createDatabase();
    const pool = new pg.Pool({ connectionString: database.url, max: 4, connectionTimeoutMillis: 2_000 });
    pool.on('error', () => undefined); // a cut connection makes the query itself reject
    const lab = new FaultLab(servers, receiver, database, pool, maxRetries, timeoutSeconds, broker, network);
    try {
      lab.mainEmitter = await lab.openEmitter(servers.emitters);
      await lab.subscribe(lanes, tenants, wishOf);
      if (!circuits) await pool.query(WITHOUT_CIRCUITS);
      await pool.query(NOTE_GAPS);
      return lab;
    } catch (error) {
      await lab.dispose();
      throw error;
    }
  }

  async startWorker(options: WorkerOptions = {}): Promise<Worker> {
    const name = `worker-${this.workers.length + 1}`;
    const env = { ...this.env, DATABASE_URL: urlOfWorker(this.database.url, name) };
    const worker = await Worker.start(name, env, options, this.incidents, join(BUILD, 'main.js'));
    this.workers.push(worker);
    return worker;
  }

  async startWorkers(count: number, options: WorkerOptions = {}): Promise<Worker[]> {
    const started: Worker[] = [];
    // One after the other: the name tells them apart, and two processors gain nothing from booting all at once.
    for (let index = 0; index < count; index += 1) started.push(await this.startWorker(options));
    return started;
  }

  /** Another emitting module, in a process of its own. */
  async startEmitter(): Promise<Emitter> {
    const process = await EmitterProcess.start();
    this.mortal.push(process);
    return this.openEmitter(process);
  }

  private async openEmitter(process: EmitterProcess): Promise<Emitter> {
    return process.open(this.env, (emitted) => {
      const event = this.events.get(emitted.number);
      if (event) this.events.set(emitted.number, { ...event, ...emitted });
    });
  }

  /** The environment of every process of this lab, for servers of another role. */
  get environment(): Readonly<Record<string, string>> {
    return this.env;
  }

  subscriptionOf(lane: number): string {
    return this.laneAt(lane).subscriptionId;
  }

  tenantOf(lane: number): string {
    return this.laneAt(lane).tenantId;
  }

  /** Emits `count` events, each in its own transaction. Resolves when every transaction has ended. */
  async emit(count: number, options: EmitOptions = {}): Promise<void> {
    const { lanes = this.lanes.map((_, lane) => lane), rollBackEvery = 0, concurrency = 8 } = options;
    const events = Array.from({ length: count }, (_, index): EventToEmit => {
      const lane = lanes[index % lanes.length] ?? 0;
      const number = this.events.size + 1;
      const of = this.laneAt(lane);
      const { tenantId, event } = of;
      const key = isOrdered(of) ? keyOf(number) : null;
      this.events.set(number, { number, lane, fate: 'unknown', key, isKeptBack: isKeptBack(of, number) });
      return {
        number,
        lane,
        tenantId,
        event,
        orderingKey: key,
        rollBack: rollBackEvery > 0 && (index + 1) % rollBackEvery === 0,
      };
    });
    await (options.emitter ?? this.emitter).emit(events, concurrency);
  }

  /** How many events came to this fate so far. */
  countOf(fate: Fate): number {
    return [...this.events.values()].filter((event) => event.fate === fate).length;
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, values)).rows;
  }

  /** A connection to lock rows with; to be released. */
  async connect(): Promise<pg.PoolClient> {
    return this.pool.connect();
  }

  /** Deliveries by status. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.query<{ status: string; count: number }>(
      'SELECT status, count(*)::int AS count FROM webhook_deliveries GROUP BY status',
    );
    return Object.fromEntries(rows.map((row) => [row.status, row.count]));
  }

  /** What processes complained of last: with it a run that does not come to rest says why. */
  private get complaints(): string {
    const workers = this.workers.flatMap(({ name, server }) =>
      server.output.slice(-COMPLAINTS).map((line) => `${name}: ${line}`),
    );
    const emitters = [this.servers.emitters, ...this.mortal].map(({ said }) => `emitter: ${said}`);
    return [...workers, ...emitters].join('\n');
  }

  /** Resolves when no delivery waits or is under way any more; watches the leases meanwhile. */
  async settle(timeoutMs = 90_000): Promise<void> {
    await eventually(
      async () => {
        await this.watchLeases();
        const { PENDING = 0, SENDING = 0 } = await this.counts();
        if (PENDING + SENDING > 0) throw new Error(`${PENDING} deliveries wait, ${SENDING} are being sent`);
      },
      { timeoutMs, intervalMs: 100, message: 'the run did not come to rest' },
    ).catch((cause: unknown) => {
      throw new Error(`${String(cause)}\n${this.complaints}`, { cause });
    });
  }

  /** One look at the leases; for runs that go on for a while before {@link settle}. */
  async watchLeases(): Promise<void> {
    try {
      const expired = await this.query<ExpiredLease & pg.QueryResultRow>(EXPIRED_LEASES);
      if (this.workers.some((worker) => worker.awake)) this.leases.observe(expired, performance.now());
      else this.leases.forget();
    } catch (error) {
      this.leases.forget();
      throw error;
    }
  }

  async deliveries(): Promise<DeliveryState[]> {
    return this.query<DeliveryState & pg.QueryResultRow>(DELIVERIES);
  }

  async attempts(): Promise<AttemptState[]> {
    return this.query<AttemptState & pg.QueryResultRow>(ATTEMPTS);
  }

  /** From here on every request has to carry the signatures that its lane asks for. */
  async verifySignatures(): Promise<void> {
    const rows = await this.query<{ kid: string; key: JsonWebKey }>(
      'SELECT kid, public_key AS key FROM webhook_jwt_keys',
    );
    const keys = rows.map(({ kid, key }) => ({ ...key, kid }));
    this.receiver.verify = (request) => signatureProblem(this.laneAt(request.lane), request, { keys });
  }

  async history(): Promise<RunHistory> {
    const lanes = this.lanes.map((lane, n) => ({ lane, n }));
    const rated = lanes.flatMap(({ lane, n }) => {
      const stepMs = stepMsOf(lane);
      return stepMs === undefined ? [] : [{ lane, n, stepMs }];
    });
    const noted = rated.length === 0 ? [] : await this.query<NotedSlots & pg.QueryResultRow>(NOTED_SLOTS);
    return {
      maxRetries: this.maxRetries,
      budgetMs: this.timeoutSeconds * 1_000,
      ordered: lanes.flatMap(({ lane, n }) => (isOrdered(lane) ? [n] : [])),
      retriesOf: new Map(lanes.map(({ lane, n }) => [n, retriesOf(lane) ?? this.maxRetries])),
      rated: new Map(rated.map(({ n, stepMs }) => [n, stepMs])),
      slots: rated.flatMap(({ lane, n, stepMs }) =>
        noted.flatMap((one) => (one.id === lane.subscriptionId ? slotsOf(n, stepMs, one) : [])),
      ),
      closed: this.closed,
      forged: this.receiver.forged,
      events: [...this.events.values()],
      requests: this.receiver.requests,
      deliveries: await this.deliveries(),
      attempts: await this.attempts(),
      incidents: [...this.incidents, ...(await this.query<NotedGap & pg.QueryResultRow>(NOTED_GAPS))],
      overdueLeases: this.leases.overdue,
    };
  }

  /** Workers that ended by themselves, and what the checker says of the run; at most 20 lines of it. */
  async violations(): Promise<string[]> {
    const crashes = this.workers.flatMap(({ name, crash }) =>
      crash === null ? [] : [`${name} ended by itself:\n${crash}`],
    );
    return [...crashes, ...violationsOf(await this.history()).slice(0, 20)];
  }

  async dispose(): Promise<void> {
    for (const worker of this.workers) await worker.dispose();
    for (const process of this.mortal) await process.kill();
    await this.mainEmitter?.close();
    await this.receiver.close();
    await this.pool.end();
    await this.database.drop();
  }

  private get emitter(): Emitter {
    if (this.mainEmitter === null) throw new Error('The lab has no emitter yet');
    return this.mainEmitter;
  }

  private laneAt(lane: number): Lane {
    const known = this.lanes[lane];
    if (known === undefined) throw new Error(`There is no lane ${lane}`);
    return known;
  }

  private async subscribe(count: number, tenants: number, wishOf: (lane: number) => LaneWish): Promise<void> {
    const wanted = [];
    for (let lane = 0; lane < count; lane += 1) {
      const url = this.receiver.urlOf(lane);
      wanted.push({
        tenantId: `tenant_${lane % tenants}`,
        event: `lab.lane_${lane}`,
        url: (await this.network?.receiverUrl(url)) ?? url,
        secret: randomBytes(24).toString('hex'),
        wish: wishOf(lane),
      });
    }
    if (wanted.some(({ wish }) => wish.settings?.rateLimit != null)) await this.pool.query(NOTE_SLOTS);
    const made = await this.emitter.subscribe(wanted.map(({ wish, ...lane }) => ({ ...lane, ...wish })));
    for (const [n, lane] of wanted.entries()) {
      const { id: subscriptionId = '', publicKey = null } = made[n] ?? {};
      this.lanes.push({ ...lane, subscriptionId, publicKey });
    }
  }
}

function isOrdered({ wish }: Lane): boolean {
  return wish.settings?.ordering === 'fifo';
}
