import type { MigrationInterface, QueryRunner } from 'typeorm';

import { BIRTHS as BIRTHS_BEFORE, FOLD as FOLD_BEFORE } from './1764001510000-lane-gates.js';

/** The circuit among the gates of a lane: after a pause, before what counts what it grants. */
export class CircuitGate1764001810000 implements MigrationInterface {
  name = 'CircuitGate1764001810000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [SHUT, GATE, FOLD, BIRTHS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(replacing(BIRTHS_BEFORE));
    await queryRunner.query(replacing(FOLD_BEFORE));
    await queryRunner.query(`
      DROP FUNCTION webhook_gate_circuit(webhook_lanes, integer, timestamptz);
      DROP FUNCTION webhook_circuit_shut(text, timestamptz, timestamptz)`);
  }
}

/* Not closed, and too early for a probe. One that lies further ahead than any is planned is from before a clock went back. */
const SHUT = `
CREATE FUNCTION webhook_circuit_shut(p_state text, p_next_probe_at timestamptz, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT p_state <> 'closed' AND coalesce(p_next_probe_at > p_now AND p_next_probe_at < p_now + interval '61 minutes', false)
$$`;

const GATE = `
CREATE FUNCTION webhook_gate_circuit(p_lane webhook_lanes, p_wanted integer, p_now timestamptz)
RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN (p_lane).circuit_state = 'closed' THEN p_wanted
              WHEN webhook_circuit_shut((p_lane).circuit_state, (p_lane).next_probe_at, p_now) THEN 0
              ELSE least(p_wanted, 1) END,
         CASE WHEN webhook_circuit_shut((p_lane).circuit_state, (p_lane).next_probe_at, p_now) THEN (p_lane).next_probe_at END
$$`;

/* A probe may have to wait for its slot as well. */
const FOLD = `
CREATE OR REPLACE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN circuit.granted < p_wanted THEN 'circuit_open'
              WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         CASE WHEN pause.granted < p_wanted THEN pause.until WHEN circuit.granted < p_wanted
              THEN coalesce(circuit.until, rate.until) ELSE rate.until END
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_circuit(p_lane, pause.granted, p_now) AS circuit
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, circuit.granted, p_now, p_ahead) AS rate
$$`;

const BIRTHS = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND p_settings -> 'rate_limit' IS NULL
$$`;

function replacing(create: string): string {
  return create.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');
}
