import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NOTE_SETTLED as NOTE_SETTLED_BEFORE } from './1764002410000-operational-notices.js';

/** A settlement of tenants none of whom listens to operational events is done with the first look. */
export class NoteWhereListened1764002440000 implements MigrationInterface {
  name = 'NoteWhereListened1764002440000';

  async up(queryRunner: QueryRunner): Promise<void> {
    if (NOTE_SETTLED === replacing(NOTE_SETTLED_BEFORE))
      throw new Error('the function is not as this migration knows it');
    await queryRunner.query(NOTE_SETTLED);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(replacing(NOTE_SETTLED_BEFORE));
  }
}

/* By the key of the table: a few probes for each tenant. */
const NOTE_SETTLED = replacing(NOTE_SETTLED_BEFORE).replace(
  `BEGIN
`,
  `BEGIN
  PERFORM FROM (SELECT DISTINCT t.id FROM unnest(p_tenants) AS t (id)) AS t
    JOIN webhook_subscription_events w
      ON w.tenant_id = t.id
     AND w.event = ANY (ARRAY['webhook.*', 'webhook.delivery.*', 'webhook.endpoint.*', 'webhook.delivery.exhausted',
                              'webhook.endpoint.disabled', 'webhook.endpoint.failing', 'webhook.endpoint.recovered'])
   LIMIT 1;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
`,
);

function replacing(create: string): string {
  return create.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');
}
