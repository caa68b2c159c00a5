import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * A settlement holds the lane of an endpoint that answered 429 or 503 and asked for a while, and forgets it when that is over.
 * The function of before stays: what processes of the version before settle holds nothing but the delivery.
 */
export class SettleThrottles1764002310000 implements MigrationInterface {
  name = "SettleThrottles1764002310000";

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(NEWEST.rewritten("webhook_settle", CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(NEWEST.dropped("webhook_settle"));
  }
}

/*
 * p_throttled: deliveries whose answer asked for a while, and how long. As for the circuit, only results of its epoch count.
 * A lane that is not held any more is looked at once more, so that its row says so; each text is there once.
 */
const CHANGES: readonly (readonly [string, string])[] = [
  [
    `)\n RETURNS TABLE(`,
    `, p_throttled uuid[], p_throttle_waits double precision[])\n RETURNS TABLE(`,
  ],
  [`OR l.ramp IS NOT NULL;`, `OR l.ramp IS NOT NULL OR l.held_until <= now();`],
  [
    ` ORDER BY r.n) AS waits\n`,
    ` ORDER BY r.n) AS waits,
             array_agg(coalesce(p_throttle_waits[array_position(p_throttled, r.delivery_id)], 0) ORDER BY r.n) AS throttles\n`,
  ],
  [
    `      v_lane := v_before;\n`,
    `      v_lane := v_before;
      v_lane.held_until := webhook_throttle_after(v_lane.held_until, 0, now());\n`,
  ],
  [
    `        v_lane := webhook_circuit_after(`,
    `        IF v_of.throttles[v_n] > 0 AND v_of.epochs[v_n] = v_lane.epoch THEN
          v_lane.held_until := webhook_throttle_after(v_lane.held_until, v_of.throttles[v_n], now());
        END IF;
        v_lane := webhook_circuit_after(`,
  ],
  [
    `epoch = v_lane.epoch\n`,
    `epoch = v_lane.epoch, held_until = v_lane.held_until\n`,
  ],
  [
    `      IF v_lane.circuit_state <> v_before.circuit_state THEN\n`,
    `      IF v_lane.held_until IS NULL AND v_before.held_until IS NOT NULL
         OR v_lane.held_until IS NOT NULL AND NOT webhook_throttled(v_before.held_until, now()) THEN
        v_turned := v_turned || v_of.id;
        v_turns := v_turns || CASE WHEN v_lane.held_until IS NULL THEN 'unthrottled' ELSE 'throttled' END;
      END IF;
      IF v_lane.circuit_state <> v_before.circuit_state THEN\n`,
  ],
];

/** Functions that are made of the newest one of their name, whose text may be spread over several migrations by now. */
export const NEWEST = {
  /**
   * A function beside the newest, or in its place where its parameters are the same. Fails when a text is not there, or twice:
   * then it has to be said here what the new one is. `replaces`: for one that returns something else.
   */
  rewritten(
    name: string,
    changes: readonly (readonly [string, string])[],
    replaces = false,
  ): string {
    return `
DO $do$
DECLARE
  v_function regprocedure := ${newest(name)};
  v_text text;
  v_from text[] := ARRAY[${changes.map(([from]) => quoted(from)).join(", ")}];
  v_to text[] := ARRAY[${changes.map(([, to]) => quoted(to)).join(", ")}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  v_text := pg_get_functiondef(v_function);
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION '${name} is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  ${replaces ? `EXECUTE 'DROP FUNCTION ' || v_function;` : ""}
  EXECUTE v_text;
END
$do$`;
  },

  /** The newest goes; the one before it is the newest again. */
  dropped(name: string): string {
    return `
DO $do$
DECLARE
  v_function regprocedure := ${newest(name)};
BEGIN
  EXECUTE 'DROP FUNCTION ' || v_function;
END
$do$`;
  },
};

function newest(name: string): string {
  return `(SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = '${name}'
    ORDER BY p.pronargs DESC LIMIT 1)`;
}

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
