import { queryOnce } from './postgres-server.js';

/** The table that TypeORM keeps its own books in; it outlives every migration. */
const BOOKS = 'migrations';

/*
 * Everything in the schema `public` that a migration can make, one line each, with what was granted on it. Column order
 * and the order of grants mean nothing, so lines are sorted and grants too.
 */
const SNAPSHOT = `
WITH ours AS (
  SELECT * FROM pg_class
   WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '${BOOKS}%' AND relname <> 'PK_8c82d7f526340ab734260ea46be'
), grants AS (
  SELECT oid, array_to_string(array(SELECT a::text FROM unnest(relacl) a ORDER BY 1), ' ') AS text FROM ours
)
SELECT line FROM (
  SELECT format('relation %s %s rls=%s force=%s options=%s grants=%s', c.relkind, c.relname, c.relrowsecurity,
                c.relforcerowsecurity, c.reloptions, g.text) AS line
    FROM ours c JOIN grants g ON g.oid = c.oid
  UNION ALL
  SELECT format('column %s.%s %s notnull=%s default=%s grants=%s', c.relname, a.attname,
                format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
                array_to_string(array(SELECT x::text FROM unnest(a.attacl) x ORDER BY 1), ' '))
    FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE c.relkind IN ('r', 'p', 'v', 'm')
  UNION ALL
  SELECT format('constraint %s.%s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN ours c ON c.oid = k.conrelid
  UNION ALL
  SELECT format('index %s', pg_get_indexdef(c.oid)) FROM ours c WHERE c.relkind IN ('i', 'I')
  UNION ALL
  SELECT format('policy %s.%s %s %s using=%s check=%s', p.tablename, p.policyname, p.cmd, p.roles, p.qual, p.with_check)
    FROM pg_policies p WHERE p.schemaname = 'public'
  UNION ALL
  SELECT format('trigger %s', pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN ours c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT format('function %s grants=%s', pg_get_functiondef(f.oid), f.proacl)
    FROM pg_proc f WHERE f.pronamespace = 'public'::regnamespace AND f.prokind IN ('f', 'p')
  UNION ALL
  SELECT format('type %s', t.typname) FROM pg_type t
   WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'r')
  UNION ALL
  SELECT format('extension %s', e.extname) FROM pg_extension e WHERE e.extname <> 'plpgsql'
  UNION ALL
  SELECT format('schema %s grants=%s', n.nspname, array_to_string(array(SELECT x::text FROM unnest(n.nspacl) x ORDER BY 1), ' '))
    FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
) AS lines ORDER BY line`;

/**
 * What migrations made in a database: tables, columns, keys, indexes, policies, functions, types and every grant.
 *
 * @param query asks that database
 */
export async function schemaSnapshot(
  query: (sql: string) => Promise<{ line: string }[]>,
): Promise<readonly string[]> {
  return (await query(SNAPSHOT)).map(({ line }) => line);
}

/** Roles of the server beside its own: what a migration made outside its database. */
export async function rolesOf(url: string): Promise<readonly string[]> {
  const rows = await queryOnce<{ rolname: string }>(
    url,
    `SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> current_user ORDER BY 1`,
  );
  return rows.map(({ rolname }) => rolname);
}
