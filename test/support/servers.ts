import { describe } from '@jest/globals';

/**
 * The address of the PostgreSQL of this run, as a user who may create databases. Make your own with `createTestDatabase`.
 *
 * @throws Error in a project without servers (`unit`) or where none was found
 */
export function testDatabaseUrl(): string {
  return required('TEST_DATABASE_URL', 'PostgreSQL');
}

/**
 * The address of the Redis of this run, which may be a developer's own: use a queue prefix of your own, never flush it.
 *
 * @throws Error in a project without servers (`unit`) or where none was found
 */
export function testRedisUrl(): string {
  return required('TEST_REDIS_URL', 'Redis');
}

/** `describe`, or `describe.skip` where no PostgreSQL was found. */
export const describeWithPostgres = describeIf(['TEST_DATABASE_URL']);

/** `describe`, or `describe.skip` where no Redis was found. */
export const describeWithRedis = describeIf(['TEST_REDIS_URL']);

/** `describe`, or `describe.skip` where one of the two was not found. */
export const describeWithPostgresAndRedis = describeIf(['TEST_DATABASE_URL', 'TEST_REDIS_URL']);

function describeIf(variables: readonly string[]): typeof describe | typeof describe.skip {
  return variables.every((variable) => process.env[variable]) ? describe : describe.skip;
}

function required(variable: string, name: string): string {
  const value = process.env[variable];
  if (!value)
    throw new Error(
      `${variable} is not set: wrap the suite in describeWith${name}(…), and keep it out of the project "unit"`,
    );
  return value;
}
