import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a lane waits for a batch to close as well as for an order: then there is nothing to ring it for. */
export class SweepBatches1764003510000 implements MigrationInterface {
  name = 'SweepBatches1764003510000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(WAITS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION webhook_lane_waits(text, uuid, jsonb, text, timestamptz)');
  }
}

/*
 * By what a claim would find that has one place. As there, a circuit that is not closed and a schedule without retries have no
 * batches. Processes of the version before call webhook_order_waits.
 */
const WAITS = `
CREATE FUNCTION webhook_lane_waits(
  p_tenant text, p_subscription uuid, p_settings jsonb, p_circuit_state text, p_now timestamptz
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_batches webhook_found_batches;
  v_heads webhook_found_heads;
BEGIN
  IF p_settings -> 'batch' IS NOT NULL AND p_circuit_state = 'closed' AND coalesce(p_settings -> 'retry_schedule' <> '[]', true) THEN
    v_batches := webhook_batches(p_tenant, p_subscription, p_settings, '', 1, 1, p_now);
    RETURN v_batches.count = 0 AND v_batches.resume IS NULL;
  END IF;
  IF p_settings ->> 'ordering' = 'fifo' THEN
    v_heads := webhook_heads(p_subscription, '', 1, 1, p_now);
    RETURN cardinality(v_heads.event_ids) = 0 AND v_heads.resume IS NULL;
  END IF;
  RETURN false;
END
$$`;
