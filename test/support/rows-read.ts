/** What statements have read of a table so far. */
export interface Reading {
  /** Times that the table was read as a whole. */
  readonly wholeReads: number;
  /** Rows fetched, those that a filter then removed included. */
  readonly rows: number;
  /** Pages of the table and of its indexes, each as often as it was asked for: entries that an index passes over cost these. */
  readonly pages: number;
}

type Query = (sql: string, parameters: unknown[]) => Promise<unknown>;

/* Of the connection itself, and at once: the views of all connections are some seconds behind. */
const COUNTERS = `
SELECT (pg_stat_get_xact_numscans(t.oid))::int AS "wholeReads",
       (pg_stat_get_xact_tuples_returned(t.oid) + pg_stat_get_xact_tuples_fetched(t.oid))::int AS rows,
       (pg_stat_get_xact_blocks_fetched(t.oid)
        + (SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(i.indexrelid)), 0) FROM pg_index i
            WHERE i.indrelid = t.oid))::int AS pages
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, n) JOIN pg_class t ON t.oid = to_regclass(wanted.name)
 ORDER BY wanted.n`;

/**
 * Counts what `work` reads of some tables, all together. Everything in it must happen in the transaction of `query`: the
 * counters are those of its connection, which are handed on when a transaction ends.
 */
export async function whatIsRead<T>(
  query: Query,
  tables: readonly string[],
  work: () => Promise<T>,
): Promise<{ readonly answer: T; readonly read: Reading }> {
  const before = await counters(query, tables);
  const answer = await work();
  const after = await counters(query, tables);
  return {
    answer,
    read: {
      wholeReads: after.wholeReads - before.wholeReads,
      rows: after.rows - before.rows,
      pages: after.pages - before.pages,
    },
  };
}

async function counters(query: Query, tables: readonly string[]): Promise<Reading> {
  const rows = (await query(COUNTERS, [tables])) as Reading[];
  if (rows.length !== tables.length) throw new Error(`not all of these tables exist: ${tables.join(', ')}`);
  const sum = (field: keyof Reading): number => rows.reduce((total, row) => total + row[field], 0);
  return { wholeReads: sum('wholeReads'), rows: sum('rows'), pages: sum('pages') };
}
