import type { MigrationInterface, QueryRunner } from 'typeorm';

import { rewrittenFunction, type TextChange } from './support/newest-function.js';

/**
 * What goes next in an order, and what goes in a batch, is found by its key. The index of what is due could serve as well, and where
 * statistics are missing it looked cheaper: each claim then read all that was due in its lane. In this form it cannot.
 */
export class HeadsByKey1764003730000 implements MigrationInterface {
  name = 'HeadsByKey1764003730000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewrittenFunction('webhook_claim', CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      rewrittenFunction(
        'webhook_claim',
        CHANGES.map(([from, to]) => [to, from] as const),
      ),
    );
  }
}

const CHANGES: readonly TextChange[] = [
  [
    `         WHERE d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY h.n LIMIT`,
    `         WHERE d.status || '' = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY h.n LIMIT`,
  ],
  [
    `         WHERE b.post <= room.wanted AND d.status = 'PENDING' AND d.next_attempt_at <= now()`,
    `         WHERE b.post <= room.wanted AND d.status || '' = 'PENDING' AND d.next_attempt_at <= now()`,
  ],
];
