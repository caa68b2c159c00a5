import { createPostgresBackend, withBackend, type PostgresConnectionOptions } from 'bullmq';

import { GuardedClient } from '../../../../platform/database/guarded-client.js';
import { BrokerConnection } from './broker-connection.js';
import { LANE_QUEUE, TURN_OPTIONS, type LaneJob, type RingQueue } from './lane-queue.js';

const { Queue, Worker } = withBackend(createPostgresBackend);

/** Connections of a process that rings; one batch of rings is under way at a time. */
const RINGING = 2;

/** Connections of a process that takes turns, beside the one that listens: most turns wait for other things. */
const TAKING = 6;

/** Milliseconds to wait for a connection. */
const CONNECT_TIMEOUT_MS = 5_000;

/** How a turn ended that failed. */
export type OnFailedTurn = (job: LaneJob | undefined, cause: Error) => void;

/** The half that gives turns, as far as we direct it. */
export interface TurnTaker {
  run(): Promise<void>;
  waitUntilReady(): Promise<unknown>;
  pause(doNotWait: boolean): Promise<void>;
  close(force: boolean): Promise<void>;
}

/**
 * BullMQ in the service's own database, in a schema that it makes and migrates itself (`bullmq`). Workers listen for rings, so a
 * pooler that hands out connections by transaction cannot be between.
 */
export class PostgresBroker extends BrokerConnection {
  override readonly name = 'The broker in PostgreSQL';
  private readonly opened;

  constructor(private readonly url: string) {
    super();
    this.opened = new Queue<LaneJob>(LANE_QUEUE, { connection: this.connection(RINGING) });
  }

  /** Where it is away, so is everything else; rings that get no answer are given up as with any broker. */
  override get ready(): boolean {
    return true;
  }

  get queue(): RingQueue {
    return this.opened;
  }

  /** Begins to take turns when it is told to run. */
  worker(
    take: (job: LaneJob) => Promise<void>,
    onFailed: OnFailedTurn,
    onError: (cause: Error) => void,
  ): TurnTaker {
    const worker = new Worker<LaneJob>(LANE_QUEUE, ({ data }) => take(data), {
      ...TURN_OPTIONS,
      connection: this.connection(TAKING),
    });
    worker.on('failed', (job, cause) => {
      onFailed(job?.data, cause);
    });
    worker.on('error', onError);
    return worker;
  }

  async close(): Promise<void> {
    await this.opened.close();
  }

  private connection(max: number): PostgresConnectionOptions {
    return {
      ...optionsApart(this.url),
      migrate: true,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'gestiqcloud-webhooks',
      Client: GuardedClient,
    };
  }
}

/**
 * `?options=…` of the URL apart from it: the driver prefers what the URL says, and BullMQ's own option, where its tables are, would
 * go by unheard.
 */
function optionsApart(text: string): { readonly connectionString: string; readonly options?: string } {
  const url = new URL(text);
  const options = url.searchParams.get('options');
  if (options === null) return { connectionString: text };
  url.searchParams.delete('options');
  return { connectionString: url.href, options };
}
