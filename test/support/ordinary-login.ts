import { queryOnce, type PostgresServer } from './postgres-server.js';

/** The usual account of a managed PostgreSQL: may create roles, owns its database, and is no superuser. */
export const ORDINARY_LOGIN = 'erp';

/** Makes a database that belongs to {@link ORDINARY_LOGIN}. @returns its address, as that login */
export async function databaseOfOrdinaryLogin(server: PostgresServer, name = 'erp'): Promise<string> {
  await queryOnce(
    server.url,
    `DO $$ BEGIN CREATE ROLE ${ORDINARY_LOGIN} LOGIN CREATEROLE; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  await queryOnce(server.url, `CREATE DATABASE ${name} OWNER ${ORDINARY_LOGIN}`);
  const url = new URL(server.url);
  url.username = ORDINARY_LOGIN;
  url.pathname = `/${name}`;
  return url.toString();
}

/** The same database as the superuser. */
export function asSuperuser(url: string): string {
  const own = new URL(url);
  own.username = 'postgres';
  return own.toString();
}
