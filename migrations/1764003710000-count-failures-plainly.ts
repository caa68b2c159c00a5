import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What each failure does to the counts of its endpoint's circuit is an expression of what it takes, which PostgreSQL puts into the
 * function that asks for it: as queries, each was begun anew four times for every failure.
 */
export class CountFailuresPlainly1764003710000 implements MigrationInterface {
  name = 'CountFailuresPlainly1764003710000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(RECENT);
    await queryRunner.query(SUM);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(RECENT_BEFORE);
    await queryRunner.query(SUM_BEFORE);
  }
}

/* One list of counts after p_passed buckets of ten have passed, with p_more in the newest. */
const RECENT = `
CREATE OR REPLACE FUNCTION webhook_recent_after(p_counts integer[], p_passed integer, p_more integer)
RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_passed <= 0 THEN ARRAY[p_counts[1] + p_more] || p_counts[2:10]
              ELSE ARRAY[p_more] || array_fill(0, ARRAY[least(p_passed, 10) - 1]) || p_counts[1:10 - least(p_passed, 10)] END
$$`;

const SUM = `
CREATE OR REPLACE FUNCTION webhook_recent_sum(p_counts integer[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT p_counts[1]::bigint + p_counts[2] + p_counts[3] + p_counts[4] + p_counts[5]
         + p_counts[6] + p_counts[7] + p_counts[8] + p_counts[9] + p_counts[10]
$$`;

const RECENT_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_recent_after(p_counts integer[], p_passed integer, p_more integer)
RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY[moved.counts[1] + p_more] || moved.counts[2:]
    FROM (SELECT array_fill(0, ARRAY[passed.n]) || p_counts[1:10 - passed.n] AS counts
            FROM (SELECT least(greatest(p_passed, 0), 10) AS n) AS passed) AS moved
$$`;

const SUM_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_recent_sum(p_counts integer[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT sum(c.n) FROM unnest(p_counts) AS c (n)
$$`;
