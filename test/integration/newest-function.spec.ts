import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import { droppedFunction, rewrittenFunction } from '../../migrations/support/newest-function.js';
import { describeWithPostgres, testDatabaseUrl } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

describeWithPostgres('a function that is made of the newest of its name', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase(testDatabaseUrl());
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`CREATE FUNCTION f(a integer) RETURNS text LANGUAGE sql AS $$ SELECT 'one ' || a $$`);
  });

  afterAll(async () => {
    await client?.end();
    await database?.drop();
  });

  const answer = async (call: string): Promise<unknown> => {
    const { rows } = await client.query<{ answer: unknown }>(`SELECT ${call} AS answer`);
    return rows[0]?.answer;
  };

  it('stands beside it, or in its place, or returns something else, and gives way again', async () => {
    await client.query(
      rewrittenFunction('f', [
        ['a integer', 'a integer, b integer'],
        ["'one ' || a", "'two ' || a + b"],
      ]),
    );
    expect([await answer('f(1)'), await answer('f(1, 2)')]).toEqual(['one 1', 'two 3']);
    await client.query(rewrittenFunction('f', [["'two '", "'three '"]]));
    expect([await answer('f(1)'), await answer('f(1, 2)')]).toEqual(['one 1', 'three 3']);
    await client.query(
      rewrittenFunction(
        'f',
        [
          ['RETURNS text', 'RETURNS integer'],
          ["'three ' || ", ''],
        ],
        true,
      ),
    );
    expect([await answer('f(1)'), await answer('f(1, 2)')]).toEqual(['one 1', 3]);
    await client.query(droppedFunction('f'));
    expect(await answer('f(1)')).toBe('one 1');
    await expect(client.query('SELECT f(1, 2)')).rejects.toMatchObject({ code: '42883' });
  });

  it.each([
    ['is not there', "'nine '"],
    ['is there twice', 'a'],
  ])('is not made where a text %s', async (_what, text) => {
    const changes = [[text, 'x']] as const;
    await expect(client.query(rewrittenFunction('f', changes))).rejects.toThrow(
      'f is not as this migration knows it',
    );
    expect(await answer('f(1)')).toBe('one 1');
  });

  it('is not made of nothing', async () => {
    await expect(client.query(rewrittenFunction('g', []))).rejects.toThrow('there is no function g');
    await expect(client.query(droppedFunction('g'))).rejects.toThrow('there is no function g');
  });
});
