import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { PanelSessions, WithChange } from '../../src/modules/panel/application/ports/panel-sessions.js';
import { SESSION_LIMITS, type PanelSession } from '../../src/modules/panel/domain/panel-session.js';
import { TypeormPanelSessions } from '../../src/modules/panel/infrastructure/typeorm-panel-sessions.js';
import { InMemoryPanelSessions } from '../../src/modules/panel/testing/in-memory-panel-sessions.js';
import { FakeClock } from '../../src/modules/webhooks/testing/fake-clock.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

interface Lab {
  readonly sessions: PanelSessions;
  /** Time goes by for all that is stored. */
  pass(ms: number): Promise<void>;
}

const NOTHING: WithChange = async () => Promise.resolve();
const hashOf = (name: string): Buffer => Buffer.from(name.padEnd(32, '.'));
const sessionOf = (tenantId: string | null): PanelSession => ({
  ...{ id: randomUUID(), tenantId, subject: 'ana@customer.com', scopes: ['webhooks:read'], isReadOnly: true },
});

/** What PanelSessions promises to those who make, open and use sessions. */
function panelSessionsContract(current: () => Lab): void {
  let lab: Lab;
  let sessions: PanelSessions;
  let names = 0;
  beforeEach(() => {
    lab = current();
    ({ sessions } = lab);
  });

  const opened = async (
    tenantId: string | null = 'acme',
  ): Promise<{ session: PanelSession; hash: Buffer }> => {
    const session = sessionOf(tenantId);
    const [link, hash] = [hashOf(`link ${(names += 1)}`), hashOf(`session ${names}`)];
    await sessions.add(session, link, NOTHING);
    expect(await sessions.open(link, hash, SESSION_LIMITS, NOTHING)).toEqual(session);
    return { session, hash };
  };

  it.each(['acme', null])(
    'opens a session of %p by its link, and finds it as it was made',
    async (tenantId) => {
      const { session, hash } = await opened(tenantId);
      const { ageMs, idleMs, ...found } = (await sessions.find(hash))!;
      expect(found).toEqual(session);
      expect(ageMs).toBeGreaterThanOrEqual(0);
      expect(idleMs).toBeLessThan(60_000);
      expect(await sessions.find(hashOf('made up'))).toBeNull();
    },
  );

  // Red when a link is looked at first and spent afterwards.
  it('spends a link once, also when several come with it at the same time', async () => {
    const link = hashOf(`link ${(names += 1)}`);
    await sessions.add(sessionOf('acme'), link, NOTHING);
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        sessions.open(link, hashOf(`try ${names} ${n}`), SESSION_LIMITS, NOTHING),
      ),
    );
    expect(tries.filter((session) => session !== null)).toHaveLength(1);
    expect(await sessions.open(link, hashOf('later'), SESSION_LIMITS, NOTHING)).toBeNull();
    expect(await sessions.find(link)).toBeNull();
  });

  it('opens nothing with a link that is too old', async () => {
    const link = hashOf(`link ${(names += 1)}`);
    await sessions.add(sessionOf('acme'), link, NOTHING);
    await lab.pass(SESSION_LIMITS.linkMs);
    expect(await sessions.open(link, hashOf('late'), SESSION_LIMITS, NOTHING)).toBeNull();
  });

  it('counts from when it was opened, and from its last use', async () => {
    const link = hashOf(`link ${(names += 1)}`);
    const hash = hashOf(`session ${names}`);
    const session = sessionOf('acme');
    await sessions.add(session, link, NOTHING);
    await lab.pass(50_000);
    await sessions.open(link, hash, SESSION_LIMITS, NOTHING);
    expect((await sessions.find(hash))!.ageMs).toBeLessThan(50_000);
    await lab.pass(600_000);
    await sessions.noteUse(session.id);
    const used = (await sessions.find(hash))!;
    expect(used.ageMs).toBeGreaterThanOrEqual(600_000);
    expect(used.idleMs).toBeLessThan(600_000);
  });

  it('closes one, and once', async () => {
    const { session, hash } = await opened();
    const other = await opened();
    expect(await sessions.close(hash, NOTHING)).toEqual(session);
    expect(await sessions.close(hash, NOTHING)).toBeNull();
    expect(await sessions.find(hash)).toBeNull();
    expect(await sessions.find(other.hash)).not.toBeNull();
  });

  it('names the tenant of each change in its transaction, and leaves administrators’ out', async () => {
    const seen: (readonly [string, string])[] = [];
    const note: WithChange = async (transaction, { id }) => {
      seen.push([transaction.tenantId, id]);
      return Promise.resolve();
    };
    for (const tenantId of ['acme', null, 'other']) {
      const session = sessionOf(tenantId);
      const [link, hash] = [hashOf(`link ${(names += 1)}`), hashOf(`session ${names}`)];
      await sessions.add(session, link, note);
      await sessions.open(link, hash, SESSION_LIMITS, note);
      await sessions.close(hash, note);
      const mine = seen.splice(0);
      expect(mine).toEqual(tenantId === null ? [] : Array(3).fill([tenantId, session.id]));
    }
  });

  it('changes nothing when what belongs to a change fails', async () => {
    const link = hashOf(`link ${(names += 1)}`);
    const fail: WithChange = () => Promise.reject(new Error('the trail is full'));
    await expect(sessions.add(sessionOf('acme'), link, fail)).rejects.toThrow('the trail is full');
    expect(await sessions.open(link, hashOf('never'), SESSION_LIMITS, NOTHING)).toBeNull();
  });

  it('removes links that are too old and sessions that have ended, so many at a time, and no others', async () => {
    await lab.pass(SESSION_LIMITS.totalMs);
    while ((await sessions.removeEnded(SESSION_LIMITS, 100)) > 0);
    await sessions.add(sessionOf('acme'), hashOf(`link ${(names += 1)}`), NOTHING);
    await sessions.add(sessionOf(null), hashOf(`link ${(names += 1)}`), NOTHING);
    const idle = await opened();
    const used = await opened(null);
    expect(await sessions.removeEnded(SESSION_LIMITS, 100)).toBe(0);
    await lab.pass(SESSION_LIMITS.linkMs);
    expect(await sessions.removeEnded(SESSION_LIMITS, 1)).toBe(1);
    expect(await sessions.removeEnded(SESSION_LIMITS, 100)).toBe(1);
    await lab.pass(SESSION_LIMITS.idleMs / 2);
    await sessions.noteUse(used.session.id);
    await lab.pass(SESSION_LIMITS.idleMs / 2);
    expect(await sessions.removeEnded(SESSION_LIMITS, 100)).toBe(1);
    expect([await sessions.find(idle.hash), await sessions.find(used.hash)]).toEqual([
      null,
      expect.anything(),
    ]);
    for (let passed = 0; passed < SESSION_LIMITS.totalMs; passed += SESSION_LIMITS.idleMs / 2) {
      await sessions.noteUse(used.session.id);
      await lab.pass(SESSION_LIMITS.idleMs / 2);
    }
    expect(await sessions.removeEnded(SESSION_LIMITS, 100)).toBe(1);
  });
}

describe('in memory', () => {
  const clock = new FakeClock();
  const sessions = new InMemoryPanelSessions(clock);
  panelSessionsContract(() => ({
    sessions,
    pass: async (ms) => {
      clock.advance(ms);
      await Promise.resolve();
    },
  }));
});

describeWithPostgres('TypeORM on PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 6)).initialize();
  }, 180_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  panelSessionsContract(() => ({
    sessions: new TypeormPanelSessions(dataSource),
    pass: async (ms) => {
      const back = `- make_interval(secs => ${ms} / 1000.0)`;
      await dataSource.query(
        `UPDATE panel_sessions SET started_at = started_at ${back}, used_at = used_at ${back}`,
      );
    },
  }));
});
