import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The engine's functions rule out plans that read tables as a whole, and PostgreSQL (up to 17) does so by adding 10,000,000,000 to their
 * cost: where nothing else is left (a sort, a short list), the cost is far beyond `jit_above_cost`, and a statement that takes a
 * millisecond is compiled for half a second, at every call.
 */
export class FunctionsWithoutJit1764003600000 implements MigrationInterface {
  name = 'FunctionsWithoutJit1764003600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ofEach('SET jit = off'));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ofEach('RESET jit'));
  }
}

/** Of each that rules out plans, in whichever version. */
function ofEach(change: string): string {
  return `
DO $do$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN
    SELECT p.oid FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'webhook\\_%' AND p.proconfig::text LIKE '%enable\\_%=off%'
  LOOP
    EXECUTE format('ALTER FUNCTION %s ${change}', v_function);
  END LOOP;
END
$do$`;
}
