import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../../platform/kernel/id-generator.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';

/** Who this process is as an owner of leases: they hold while its row in `webhook_workers` is alive. */
@Injectable()
export class LeaseOwner {
  readonly id: string;
  /** Milliseconds for which a sign of life holds. */
  readonly aliveMs: number = ENGINE_LIMITS.aliveMs;

  constructor(ids: IdGenerator) {
    this.id = ids.next();
  }
}
