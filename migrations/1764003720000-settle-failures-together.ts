import type { MigrationInterface, QueryRunner } from 'typeorm';

import { rewrittenFunction, type TextChange } from './support/newest-function.js';

/**
 * A settlement locks the lanes in which something failed, reads them and writes them with one statement each for all of them; it
 * took three statements for every lane.
 */
export class SettleFailuresTogether1764003720000 implements MigrationInterface {
  name = 'SettleFailuresTogether1764003720000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewrittenFunction('webhook_settle', CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      rewrittenFunction(
        'webhook_settle',
        CHANGES.map(([from, to]) => [to, from] as const),
      ),
    );
  }
}

const CHANGES: readonly TextChange[] = [
  [
    `  v_lane webhook_lanes;
`,
    `  v_lane webhook_lanes;
  v_changed webhook_lanes[] := '{}';
`,
  ],
  [
    `    FOR v_of IN
      SELECT r.tenant_id, r.id, array_agg(r.epoch ORDER BY r.n) AS epochs,`,
    `    FOR v_of IN
      SELECT o.*, l AS lane, s.settings FROM (
      SELECT r.tenant_id, r.id, array_agg(r.epoch ORDER BY r.n) AS epochs,`,
  ],
  [
    `       GROUP BY r.tenant_id, r.id ORDER BY r.id
    LOOP
      SELECT l.* INTO v_before FROM webhook_lanes l WHERE l.tenant_id = v_of.tenant_id AND l.subscription_id = v_of.id FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      SELECT s.settings INTO v_settings FROM webhook_subscriptions s WHERE s.tenant_id = v_of.tenant_id AND s.id = v_of.id;
`,
    `       GROUP BY r.tenant_id, r.id
      ) AS o
        JOIN webhook_lanes l ON l.tenant_id = o.tenant_id AND l.subscription_id = o.id
        LEFT JOIN webhook_subscriptions s ON s.tenant_id = o.tenant_id AND s.id = o.id
       ORDER BY o.id FOR UPDATE OF l
    LOOP
      v_before := v_of.lane;
      v_settings := v_of.settings;
`,
  ],
  [
    `      UPDATE webhook_lanes l
         SET circuit_state = v_lane.circuit_state, circuit_cause = v_lane.circuit_cause, circuit_opened_at = v_lane.circuit_opened_at,
             next_probe_at = v_lane.next_probe_at, probe_wait_ms = v_lane.probe_wait_ms, probe_id = v_lane.probe_id,
             next_probe_id = v_lane.next_probe_id, failures = v_lane.failures, failing_since = v_lane.failing_since,
             ramp = v_lane.ramp, recent_bucket = v_lane.recent_bucket, recent_attempts = v_lane.recent_attempts,
             recent_failed = v_lane.recent_failed, counted_from = v_lane.counted_from, epoch = v_lane.epoch, held_until = v_lane.held_until
       WHERE l.tenant_id = v_of.tenant_id AND l.subscription_id = v_of.id;
`,
    `      v_changed := array_append(v_changed, v_lane);
`,
  ],
  [
    `    END LOOP;
    v_turned := v_turned || v_over;
`,
    `    END LOOP;
    IF cardinality(v_changed) > 0 THEN
      UPDATE webhook_lanes l
         SET circuit_state = c.circuit_state, circuit_cause = c.circuit_cause, circuit_opened_at = c.circuit_opened_at,
             next_probe_at = c.next_probe_at, probe_wait_ms = c.probe_wait_ms, probe_id = c.probe_id,
             next_probe_id = c.next_probe_id, failures = c.failures, failing_since = c.failing_since,
             ramp = c.ramp, recent_bucket = c.recent_bucket, recent_attempts = c.recent_attempts,
             recent_failed = c.recent_failed, counted_from = c.counted_from, epoch = c.epoch, held_until = c.held_until
        FROM unnest(v_changed) AS c
       WHERE l.tenant_id = c.tenant_id AND l.subscription_id = c.subscription_id;
    END IF;
    v_turned := v_turned || v_over;
`,
  ],
];
