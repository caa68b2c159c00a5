import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

import { retriedTransaction } from '../../../platform/database/retried-transaction.js';
import { WORKER_ROLE } from '../../../platform/database/roles.js';
import { PanelSessions, type WithChange } from '../application/ports/panel-sessions.js';
import type { PanelSession, SessionAge, SessionLimits } from '../domain/panel-session.js';

const SESSION = `id, tenant_id AS "tenantId", subject, scopes, read_only AS "isReadOnly"`;

const ADD = `
INSERT INTO panel_sessions (id, tenant_id, subject, scopes, read_only, link_hash) VALUES ($1, $2, $3, $4, $5, $6)`;

/* In one statement: of two that come with the same link, the second one waits for the first and then finds it spent. */
const OPEN = `
WITH opened AS (
  UPDATE panel_sessions SET link_hash = NULL, session_hash = $2, started_at = now(), used_at = now()
   WHERE link_hash = $1 AND started_at > now() - make_interval(secs => $3::double precision / 1000)
  RETURNING *
)
SELECT ${SESSION} FROM opened`;

const FIND = `
SELECT ${SESSION}, (extract(epoch FROM now() - started_at) * 1000)::double precision AS "ageMs",
       (extract(epoch FROM now() - used_at) * 1000)::double precision AS "idleMs"
  FROM panel_sessions WHERE session_hash = $1`;

const CLOSE = `WITH closed AS (DELETE FROM panel_sessions WHERE session_hash = $1 RETURNING *) SELECT ${SESSION} FROM closed`;

const REMOVE_ENDED = `
WITH ended AS (
  SELECT id FROM panel_sessions
   WHERE link_hash IS NOT NULL AND started_at <= now() - make_interval(secs => $1::double precision / 1000)
      OR session_hash IS NOT NULL AND (used_at <= now() - make_interval(secs => $2::double precision / 1000)
                                       OR started_at <= now() - make_interval(secs => $3::double precision / 1000))
   LIMIT $4 FOR UPDATE SKIP LOCKED
), removed AS (DELETE FROM panel_sessions s USING ended e WHERE s.id = e.id RETURNING s.id)
SELECT count(*)::integer AS count FROM removed`;

/**
 * A token is looked for before anybody knows whose it is, so every statement runs under the worker's role; that of requests has
 * no right to this table at all.
 */
@Injectable()
export class TypeormPanelSessions extends PanelSessions {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  override async add(session: PanelSession, linkHash: Buffer, withChange: WithChange): Promise<void> {
    const { id, tenantId, subject, scopes, isReadOnly } = session;
    await this.run(async (manager) => {
      await manager.query(ADD, [id, tenantId, subject, scopes, isReadOnly, linkHash]);
      await changed(manager, session, withChange);
    });
  }

  override async open(
    linkHash: Buffer,
    sessionHash: Buffer,
    { linkMs }: Pick<SessionLimits, 'linkMs'>,
    withChange: WithChange,
  ): Promise<PanelSession | null> {
    return this.run(async (manager) => {
      const [session] = await manager.query<PanelSession[]>(OPEN, [linkHash, sessionHash, linkMs]);
      if (session === undefined) return null;
      await changed(manager, session, withChange);
      return session;
    });
  }

  override async find(sessionHash: Buffer): Promise<(PanelSession & SessionAge) | null> {
    return this.run(async (manager) => {
      const [session] = await manager.query<(PanelSession & SessionAge)[]>(FIND, [sessionHash]);
      return session ?? null;
    });
  }

  override async noteUse(id: string): Promise<void> {
    await this.run(async (manager) => {
      await manager.query('UPDATE panel_sessions SET used_at = now() WHERE id = $1', [id]);
    });
  }

  override async close(sessionHash: Buffer, withChange: WithChange): Promise<PanelSession | null> {
    return this.run(async (manager) => {
      const [session] = await manager.query<PanelSession[]>(CLOSE, [sessionHash]);
      if (session === undefined) return null;
      await changed(manager, session, withChange);
      return session;
    });
  }

  override async removeEnded({ linkMs, idleMs, totalMs }: SessionLimits, limit: number): Promise<number> {
    return this.run(async (manager) => {
      const [row] = await manager.query<{ count: number }[]>(REMOVE_ENDED, [linkMs, idleMs, totalMs, limit]);
      return row?.count ?? 0;
    });
  }

  private async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return retriedTransaction(this.dataSource, async (manager) => {
      await manager.query(`SELECT set_config('role', $1, true)`, [WORKER_ROLE]);
      return work(manager);
    });
  }
}

async function changed(manager: EntityManager, session: PanelSession, withChange: WithChange): Promise<void> {
  const { tenantId } = session;
  if (tenantId !== null) await withChange({ handle: manager, tenantId }, session);
}
