import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { TemplateEngine, type TemplateRun } from '../../application/ports/template-engine.js';
import { eventTime } from '../../domain/event-time.js';
import type { TemplateInput } from '../../domain/preset-body.js';
import { MAX_TEMPLATE_OUTPUT_BYTES } from '../../domain/template.js';
import { JSONATA_WORKER } from './jsonata-worker.js';

/** Milliseconds that an expression may take; then its thread is ended, whatever it is doing. */
const TIMEOUT_MS = 250;
/** MiB of a thread's heap. */
const MEMORY_MIB = 32;
/** Milliseconds for a thread to start in, on a busy machine too. */
const START_MS = 5_000;
/** Expressions that may wait for the one thread; beyond it there is no room. A full line is served within a lease. */
const MAX_WAITING = 16;
/** Milliseconds that an unused thread is kept. */
const IDLE_MS = 30_000;

interface Job {
  readonly message: object;
  readonly settle: (run: TemplateRun) => void;
}

/**
 * One thread, started when it is first needed, for one expression after the other. Nothing inside a thread can be trusted to
 * stop it (a loop, a native sort of a huge array), so it is ended from outside and replaced.
 */
@Injectable()
export class JsonataSandbox extends TemplateEngine implements OnApplicationShutdown {
  private readonly waiting: Job[] = [];
  private worker: Worker | null = null;
  private isRunning = false;
  private idle: NodeJS.Timeout | null = null;

  override async check(expression: string): Promise<string | null> {
    const run = await this.job({ kind: 'check', expression });
    if (run.kind === 'made') return null;
    return run.kind === 'busy' ? 'it cannot be checked now, try again' : run.reason;
  }

  override async run(expression: string, { payload, event, eventId }: TemplateInput): Promise<TemplateRun> {
    const about = { id: eventId, type: event, timestamp: eventTime(eventId).toISOString() };
    return this.job({ kind: 'run', expression, payload, event: about });
  }

  override async close(): Promise<void> {
    if (this.idle !== null) clearTimeout(this.idle);
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private async job(message: object): Promise<TemplateRun> {
    if (this.waiting.length >= MAX_WAITING) return { kind: 'busy' };
    const settled = new Promise<TemplateRun>((settle) => this.waiting.push({ message, settle }));
    if (!this.isRunning) void this.work();
    return settled;
  }

  /** Never rejects: whatever becomes of a thread is told to whoever waits. */
  private async work(): Promise<void> {
    this.isRunning = true;
    if (this.idle !== null) clearTimeout(this.idle);
    for (let job = this.waiting.shift(); job !== undefined; job = this.waiting.shift()) {
      const failed = (): TemplateRun => ({ kind: 'exhausted', reason: 'its thread could not be started' });
      job.settle(await this.once(job.message).catch(failed));
    }
    this.isRunning = false;
    this.idle = setTimeout(() => void this.close(), IDLE_MS);
    this.idle.unref();
  }

  private async once(message: object): Promise<TemplateRun> {
    if (this.worker === null) {
      const worker = this.started();
      const started = await answerOf(worker, START_MS);
      if (started.kind !== 'ready') {
        await worker.terminate();
        return { kind: 'busy' };
      }
      this.worker = worker;
    }
    const { worker } = this;
    worker.ref();
    worker.postMessage(message);
    const answer = await answerOf(worker, TIMEOUT_MS);
    worker.unref();
    if (answer.kind === 'ended' || answer.kind === 'ready') {
      this.worker = null;
      await worker.terminate();
      return { kind: 'exhausted', reason: answer.kind === 'ended' ? answer.reason : 'the thread restarted' };
    }
    return answer;
  }

  private started(): Worker {
    const worker = new Worker(JSONATA_WORKER, {
      eval: true,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 },
      workerData: {
        jsonata: createRequire(import.meta.url).resolve('jsonata'),
        timeoutMs: TIMEOUT_MS,
        maxOutputBytes: MAX_TEMPLATE_OUTPUT_BYTES,
      },
    });
    // Whoever waits hears of it; what a thread dies of while it is being ended is of no interest, and must not end us.
    worker.on('error', () => undefined);
    return worker;
  }
}

type Answer =
  | Exclude<TemplateRun, { kind: 'busy' }>
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly reason: string };

/** The next word of a thread, or that it said none in time, or what it died of. */
async function answerOf(worker: Worker, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      worker.off('message', finish);
      worker.off('exit', onExit);
      worker.off('error', onError);
      resolve(answer);
    };
    const onError = (error: Error & { code?: string }): void => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      finish({ kind: 'ended', reason: isMemory ? `used more than ${MEMORY_MIB} MiB` : 'its thread ended' });
    };
    const onExit = (): void => {
      finish({ kind: 'ended', reason: 'its thread ended' });
    };
    const timer = setTimeout(() => {
      finish({ kind: 'ended', reason: `took longer than ${timeoutMs} ms` });
    }, timeoutMs);
    worker.on('message', finish);
    worker.on('exit', onExit);
    worker.on('error', onError);
  });
}
