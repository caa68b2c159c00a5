import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../../platform/kernel/id-generator.js';

/** Who this process is as an owner of leases: they hold while its row in `webhook_workers` is alive. */
@Injectable()
export class LeaseOwner {
  readonly id: string;

  constructor(ids: IdGenerator) {
    this.id = ids.next();
  }
}
