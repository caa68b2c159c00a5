import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { TellNotices } from '../../application/tell-notices.js';
import { RepeatedWork } from '../repeated-work.js';

/** Milliseconds between two looks: one lookup in an index that is empty, nearly always. */
const INTERVAL_MS = 1_000;

/** Tells what was noted, once a second, in processes that deliver. */
@Injectable()
export class NoticeSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work = new RepeatedWork(() => this.once());
  private failing = false;

  constructor(
    private readonly notices: TellNotices,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  /** Never rejects: while the database is away it says so once and looks again. */
  private async once(): Promise<number> {
    try {
      await this.notices.execute();
      this.failing = false;
    } catch (cause) {
      if (!this.failing) {
        this.logger.error('Operational events wait: what was noted could not be told', { cause });
      }
      this.failing = true;
    }
    return INTERVAL_MS;
  }
}
