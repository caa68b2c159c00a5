/**
 * The PostgreSQL roles that the service works under. Both are created by the migrations, cannot log in and cannot bypass
 * row-level security; a transaction takes one on with `set_config('role', …, true)`, so one DATABASE_URL suffices.
 */
export const TENANT_ROLE = 'webhooks_tenant';
export const WORKER_ROLE = 'webhooks_worker';
