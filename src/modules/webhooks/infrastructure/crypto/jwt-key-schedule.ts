import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { KeepJwtKeys } from '../../application/keep-jwt-keys.js';
import { RepeatedWork } from '../repeated-work.js';

/** Milliseconds between two looks: a successor is due to the day, and signs an hour after it was made. */
const INTERVAL_MS = 3_600_000;
/** Milliseconds until the next try when the database was away. */
const RETRY_MS = 5_000;

/** Keeps the keys of JWTs: before the process serves anything, and every hour. */
@Injectable()
export class JwtKeySchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work = new RepeatedWork(() => this.once());

  constructor(
    private readonly keep: KeepJwtKeys,
    private readonly logger: AppLogger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.work.schedule(await this.once());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  /** Never rejects. @returns milliseconds until the next time */
  private async once(): Promise<number> {
    try {
      await this.keep.execute();
      return INTERVAL_MS;
    } catch (cause) {
      this.logger.error('The keys of JWTs could not be looked after; it is tried again', { cause });
      return RETRY_MS;
    }
  }
}
