import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A claim looks at what is left in a lane, and places what it took, once for each lane. The planner had put the first of them
 * behind the rows that were claimed: four lookups, and as many rows as the claim has, for each of them again (a third of a
 * claim's processor time); the second it made again for each lane.
 */
export class ClaimLooksOnce1764002110000 implements MigrationInterface {
  name = 'ClaimLooksOnce1764002110000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewriting(CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(rewriting(CHANGES.map(([from, to]) => [to, from] as const)));
  }
}

/* What is left in a lane, by the snapshot of before the claim. */
const REST = `      FROM room
     CROSS JOIN LATERAL (
       SELECT (SELECT count(*)::int FROM (
                 SELECT FROM webhook_deliveries d
                  WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1) AS due) AS due,
              (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                ORDER BY d.next_attempt_at LIMIT 1) AS next_ms
     ) AS first
     CROSS JOIN LATERAL (
       SELECT (SELECT count(*)::int FROM (
                 SELECT FROM webhook_deliveries d
                  WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1) AS due) AS due,
              (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                ORDER BY d.next_attempt_at LIMIT 1) AS next_ms
     ) AS retry
`;

/* Each is there once. */
const CHANGES: readonly (readonly [string, string])[] = [
  [
    `    ), picked AS MATERIALIZED (
      SELECT o.*, room.url, room.settings, room.slot + (o.place - 1) * room.step AS slot
        FROM (SELECT due.*, row_number()`,
    `    ), placed AS MATERIALIZED (
      SELECT due.*, row_number()`,
  ],
  [
    `) AS due) AS o
        JOIN room ON room.id = o.subscription_id AND o.place <= room.wanted
`,
    `) AS due
    ), picked AS MATERIALIZED (
      SELECT o.*, room.url, room.settings, room.slot + (o.place - 1) * room.step AS slot
        FROM placed AS o JOIN room ON room.id = o.subscription_id AND o.place <= room.wanted
`,
  ],
  [
    `${REST}      LEFT JOIN claimed c`,
    `      FROM room JOIN rest ON rest.id = room.id
      LEFT JOIN claimed c`,
  ],
  [
    `    )
    SELECT room.id, room.short, room.reason, extract(epoch FROM room.until - now())::float8 * 1000,
           first.due, retry.due, first.next_ms, retry.next_ms,
`,
    `    ), rest AS MATERIALIZED (
      SELECT room.id, first.due AS first_due, retry.due AS retry_due, first.next_ms AS first_next_ms,
             retry.next_ms AS retry_next_ms
${REST}    )
    SELECT room.id, room.short, room.reason, extract(epoch FROM room.until - now())::float8 * 1000,
           rest.first_due, rest.retry_due, rest.first_next_ms, rest.retry_next_ms,
`,
  ],
];

/* Of the newest version alone, whatever else it has got. Fails when the text is another. */
function rewriting(changes: readonly (readonly [string, string])[]): string {
  return `
DO $do$
DECLARE
  v_function regprocedure := (SELECT p.oid FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'webhook_claim' ORDER BY p.pronargs DESC LIMIT 1);
  v_text text;
  v_from text[] := ARRAY[${changes.map(([from]) => quoted(from)).join(', ')}];
  v_to text[] := ARRAY[${changes.map(([, to]) => quoted(to)).join(', ')}];
BEGIN
  -- Names are written as they were given, whatever the database's default.
  PERFORM set_config('quote_all_identifiers', 'off', true);
  v_text := pg_get_functiondef(v_function);
  FOR i IN 1 .. cardinality(v_from) LOOP
    IF cardinality(string_to_array(v_text, v_from[i])) <> 2 THEN
      RAISE EXCEPTION 'webhook_claim is not as this migration knows it: %', v_from[i];
    END IF;
    v_text := replace(v_text, v_from[i], v_to[i]);
  END LOOP;
  EXECUTE v_text;
END
$do$`;
}

function quoted(text: string): string {
  return `$text$${text}$text$`;
}
