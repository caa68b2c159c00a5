import { TENANT_ROLE, WORKER_ROLE } from './roles.js';

/** One row of `pg_policies`, as the migrations make it and PostgreSQL prints it back. */
export interface Policy {
  readonly name: string;
  readonly command: 'ALL' | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface ProtectedTable {
  readonly name: string;
  readonly policies: readonly Policy[];
}

const OF_TENANT = `(tenant_id = NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))`;
const AS_WORKER = `(CURRENT_USER = '${WORKER_ROLE}'::name)`;

function tenantOnly(table: string): Policy {
  return { name: `${table}_tenant`, command: 'ALL', roles: ['public'], using: OF_TENANT, check: OF_TENANT };
}

function worker(table: string, command: 'ALL' | 'INSERT' = 'ALL'): Policy {
  const using = command === 'INSERT' ? null : AS_WORKER;
  return { name: `${table}_worker`, command, roles: [WORKER_ROLE], using, check: AS_WORKER };
}

/** A table of all tenants that the engine works through under its own role. */
function sharedWithWorker(name: string): ProtectedTable {
  return { name, policies: [tenantOnly(name), worker(name)] };
}

/**
 * Every table with a `tenant_id` and the policies on it. The one list: the boot holds the database against it, and a test
 * holds it against a freshly migrated database, so a migration with a new table or policy has to add it here.
 */
export const PROTECTED_TABLES: readonly ProtectedTable[] = [
  { name: 'invoices', policies: [tenantOnly('invoices')] },
  sharedWithWorker('panel_sessions'),
  sharedWithWorker('webhook_attempts'),
  // The worker writes what the service does by itself, and reads nothing.
  { name: 'webhook_audit', policies: [tenantOnly('webhook_audit'), worker('webhook_audit', 'INSERT')] },
  sharedWithWorker('webhook_deliveries'),
  sharedWithWorker('webhook_events'),
  sharedWithWorker('webhook_lanes'),
  sharedWithWorker('webhook_notices'),
  sharedWithWorker('webhook_stats'),
  sharedWithWorker('webhook_stats_new'),
  sharedWithWorker('webhook_subscription_events'),
  sharedWithWorker('webhook_subscriptions'),
  sharedWithWorker('webhook_tasks'),
];

/** Neither may own a table (an owner may switch its protection off), log in, or be above row-level security. */
export const CONFINED_ROLES = [TENANT_ROLE, WORKER_ROLE] as const;
