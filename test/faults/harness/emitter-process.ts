import { fork, type ChildProcess } from 'node:child_process';

import { bundledEmitter } from './emitter-bundle.js';
import type { EmittedEvent } from './history.js';
import type { LaneWish } from './lanes.js';

export interface EventToEmit {
  readonly number: number;
  readonly lane: number;
  readonly tenantId: string;
  readonly event: string;
  readonly orderingKey: string | null;
  readonly rollBack: boolean;
}

export interface LaneToSubscribe extends LaneWish {
  readonly tenantId: string;
  readonly event: string;
  readonly url: string;
  readonly secret: string;
}

export interface MadeSubscription {
  readonly id: string;
  /** Of a key pair of its own, where it asks for one. */
  readonly publicKey: string | null;
}

/** Told of every event as soon as its transaction has ended. */
export type OnEmitted = (emitted: Emitted) => void;

export type Emitted = Pick<EmittedEvent, 'number' | 'fate' | 'times'>;

interface Message {
  readonly ready?: true;
  readonly module?: number;
  readonly emitted?: Emitted;
  readonly done?: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process in which modules of the ERP emit; see emitter.mjs. */
export class EmitterProcess {
  /** Resolves when the process has ended, by whatever cause. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  private readonly calls = new Map<number, Call>();
  private readonly listeners = new Map<number, OnEmitted>();
  private readonly output: string[] = [];
  private lastCall = 0;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.output.push(chunk.toString('utf8')));
    }
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        for (const call of this.calls.values()) call.reject(new Error(`The emitter ended:\n${this.said}`));
        this.calls.clear();
        resolve(signal ?? code);
      });
    });
  }

  static async start(): Promise<EmitterProcess> {
    const { PATH, HOME } = process.env;
    // The channel closes with this process, and the emitter ends with the channel: it cannot outlive a killed test.
    const child = fork(await bundledEmitter(), {
      env: { PATH, HOME },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const emitter = new EmitterProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: Message) => {
        if (message.ready) resolve();
        else emitter.hear(message);
      });
      void emitter.ended.then(() => reject(new Error(`The emitter did not start:\n${emitter.said}`)));
    });
    return emitter;
  }

  /** Brings the database up to date. */
  async migrate(url: string): Promise<void> {
    await this.call('migrate', { url });
  }

  /** A module with an environment of its own. */
  async open(env: Readonly<Record<string, string>>, onEmitted: OnEmitted): Promise<Emitter> {
    const module = this.listeners.size + 1;
    this.listeners.set(module, onEmitted);
    await this.call('open', { module, env: { LOG_LEVEL: 'error', ...env, WEBHOOK_ROLE: 'api' } });
    return new Emitter(this, module);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** @internal what an {@link Emitter} asks of its process */
  async call(operation: string, input: object): Promise<unknown> {
    this.lastCall += 1;
    const id = this.lastCall;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      // With a callback, a process that has just been killed is an answer and not an event that nobody expects.
      this.child.send({ id, operation, ...input }, (error) => {
        if (error === null) return;
        this.calls.delete(id);
        reject(error);
      });
    });
  }

  private hear({ module, emitted, done, result, error }: Message): void {
    if (emitted && module !== undefined) this.listeners.get(module)?.(emitted);
    if (done === undefined) return;
    const call = this.calls.get(done);
    this.calls.delete(done);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  }

  /** The end of its output. */
  get said(): string {
    return this.output.join('').slice(-4_000);
  }
}

/** An emitting module of the ERP. */
export class Emitter {
  constructor(
    private readonly process: EmitterProcess,
    private readonly module: number,
  ) {}

  /** Resolves when the process has ended, by whatever cause. */
  get ended(): Promise<NodeJS.Signals | number | null> {
    return this.process.ended;
  }

  /** Emits all, each in its own transaction, `concurrency` at a time. Resolves when all transactions have ended. */
  async emit(events: readonly EventToEmit[], concurrency: number): Promise<void> {
    await this.process.call('emit', { module: this.module, events, concurrency });
  }

  async subscribe(lanes: readonly LaneToSubscribe[]): Promise<MadeSubscription[]> {
    return (await this.process.call('subscribe', { module: this.module, lanes })) as MadeSubscription[];
  }

  /** The process will end by SIGKILL after its next COMMIT was answered and before anybody is rung. */
  async dieAfterCommit(): Promise<void> {
    await this.process.call('dieAfterCommit', { module: this.module });
  }

  /** Ends this module alone. */
  async close(): Promise<void> {
    await this.process.call('close', { module: this.module });
  }

  /** SIGKILL for the process, with every module in it. */
  async kill(): Promise<void> {
    await this.process.kill();
  }
}
