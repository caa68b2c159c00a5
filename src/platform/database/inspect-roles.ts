import pg from 'pg';

import { CONFINED_ROLES } from './protected-tables.js';
import type { Findings, Query } from './protection-findings.js';

interface RoleRow {
  readonly name: string;
  readonly usable: boolean;
  readonly bypasses: boolean;
  /** Roles that it may become and that see more than it does. */
  readonly may_become: string[];
}

interface LoginRow {
  readonly name: string;
  readonly bypasses: boolean;
  readonly version: number;
}

/*
 * Since PostgreSQL 16 a membership says apart whether SET ROLE is allowed: whoever creates a role becomes its member with
 * ADMIN alone. Before, every member may, and the word SET does not exist.
 */
const ROLES = `
SELECT r.rolname AS name, r.rolsuper OR r.rolbypassrls AS bypasses,
       pg_has_role(current_user, r.oid,
         CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) AS usable,
       array(SELECT o.rolname::text FROM pg_roles o
              WHERE o.oid <> r.oid AND NOT r.rolsuper AND pg_has_role(r.oid, o.oid, 'MEMBER')
                AND (o.rolsuper OR o.rolbypassrls OR o.rolname = ANY ($1))) AS may_become
  FROM pg_roles r WHERE r.rolname = ANY ($1)`;

const LOGIN = `
SELECT rolname AS name, rolsuper OR rolbypassrls AS bypasses, current_setting('server_version_num')::int AS version
  FROM pg_roles WHERE rolname = current_user`;

/** Whether the login may take both roles on, and whether one of the three could see past row-level security. */
export async function inspectRoles(query: Query): Promise<Findings> {
  const roles = await query<RoleRow>(ROLES, [CONFINED_ROLES]);
  const [login] = await query<LoginRow>(LOGIN, []);
  const usable = new Set(roles.filter((role) => role.usable).map((role) => role.name));
  return {
    fatal: CONFINED_ROLES.filter((name) => !usable.has(name)).map(
      (name) =>
        `The database user may not take on the role ${name}. As an administrator: ${grantOf(name, login)}`,
    ),
    unsafe: roles.flatMap((role) => [
      ...(role.bypasses
        ? [
            `The role ${role.name} could bypass row-level security: ALTER ROLE ${role.name} NOSUPERUSER NOBYPASSRLS;`,
          ]
        : []),
      ...role.may_become.map(
        (other) =>
          `The role ${role.name} may take on ${other}, which sees more than one tenant: REVOKE ${pg.escapeIdentifier(other)} FROM ${role.name};`,
      ),
    ]),
    notes:
      login?.bypasses === true
        ? [
            `The database user ${login.name} is above row-level security (superuser or BYPASSRLS): only the role that each transaction takes on keeps tenants apart. Use an ordinary login in DATABASE_URL.`,
          ]
        : [],
  };
}

function grantOf(role: string, login: LoginRow | undefined): string {
  const options = (login?.version ?? 0) >= 160_000 ? ' WITH SET TRUE, INHERIT FALSE' : '';
  return `GRANT ${role} TO ${pg.escapeIdentifier(login?.name ?? 'the user')}${options};`;
}
