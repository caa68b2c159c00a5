import pg from 'pg';

import { CONFINED_ROLES, PROTECTED_TABLES, type Policy, type ProtectedTable } from './protected-tables.js';
import type { Query } from './protection-findings.js';

interface TableRow {
  readonly name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly owner: string;
  readonly login: string;
  /** The confined role that owns the table or could become its owner. */
  readonly owned_by: string | null;
}

interface PolicyRow extends Policy {
  readonly table: string;
  readonly permissive: boolean;
}

const TABLES = `
SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       pg_get_userbyid(c.relowner) AS owner, current_user AS login,
       (SELECT r.rolname FROM pg_roles r
         WHERE r.rolname = ANY ($2) AND NOT r.rolsuper AND pg_has_role(r.oid, c.relowner, 'MEMBER') LIMIT 1) AS owned_by
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)`;

const POLICIES = `
SELECT tablename AS table, policyname AS name, cmd AS command, roles::text[] AS roles, qual AS using, with_check AS check,
       permissive = 'PERMISSIVE' AS permissive
  FROM pg_policies WHERE schemaname = 'public' AND tablename = ANY ($1) ORDER BY tablename, policyname`;

/** @param query of an open transaction. @returns what differs from {@link PROTECTED_TABLES}, each with the statements that mend it. */
export async function inspectTables(query: Query): Promise<string[]> {
  // Expressions are printed by the database, and compared word for word.
  await query('SET LOCAL quote_all_identifiers = off', []);
  const names = PROTECTED_TABLES.map((table) => table.name);
  const found = await query<TableRow>(TABLES, [names, CONFINED_ROLES]);
  const policies = await query<PolicyRow>(POLICIES, [names]);
  return PROTECTED_TABLES.flatMap((table) => {
    const row = found.find((one) => one.name === table.name);
    if (row === undefined) return [`The table ${table.name} is missing: run \`npm run migration:run\`.`];
    return [
      ...switches(row),
      ...differences(
        table,
        policies.filter((policy) => policy.table === table.name),
      ),
    ];
  });
}

function switches({ name, enabled, forced, owner, login, owned_by: ownedBy }: TableRow): string[] {
  return [
    ...(enabled
      ? []
      : [`Row-level security is off on ${name}: ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY;`]),
    ...(forced
      ? []
      : [
          `The owner of ${name} is not held to row-level security: ALTER TABLE ${name} FORCE ROW LEVEL SECURITY;`,
        ]),
    ...(ownedBy === null
      ? []
      : [
          `The table ${name} belongs to ${owner}, as whom ${ownedBy} could switch its protection off: ALTER TABLE ${name} OWNER TO ${newOwner(login, owner)};`,
        ]),
  ];
}

function newOwner(login: string, owner: string): string {
  return login === owner ? 'another_role' : pg.escapeIdentifier(login);
}

function differences({ name, policies }: ProtectedTable, found: readonly PolicyRow[]): string[] {
  const wanted = new Map(policies.map((policy) => [policy.name, policy]));
  return [
    ...policies
      .filter((policy) => !found.some((row) => row.name === policy.name))
      .map((policy) => `The policy ${policy.name} on ${name} is missing: ${creation(name, policy)}`),
    ...found.flatMap((row) => {
      const policy = wanted.get(row.name);
      const dropped = `DROP POLICY ${pg.escapeIdentifier(row.name)} ON ${name};`;
      if (policy === undefined) return [`The policy ${row.name} on ${name} is not one of ours: ${dropped}`];
      if (isSame(policy, row)) return [];
      return [
        `The policy ${row.name} on ${name} is not what it was made as: ${dropped} ${creation(name, policy)}`,
      ];
    }),
  ];
}

function isSame(wanted: Policy, found: PolicyRow): boolean {
  return (
    found.permissive &&
    found.command === wanted.command &&
    found.roles.join() === wanted.roles.join() &&
    found.using === wanted.using &&
    found.check === wanted.check
  );
}

function creation(table: string, { name, command, roles, using, check }: Policy): string {
  return [
    `CREATE POLICY ${name} ON ${table} FOR ${command} TO ${roles.join(', ')}`,
    ...(using === null ? [] : [`USING ${using}`]),
    ...(check === null ? [] : [`WITH CHECK ${check}`]),
  ]
    .join(' ')
    .concat(';');
}
