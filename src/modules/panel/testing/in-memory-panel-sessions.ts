import type { Clock } from '../../../platform/kernel/clock.js';
import { PanelSessions, type WithChange } from '../application/ports/panel-sessions.js';
import { hasEnded, type PanelSession, type SessionAge, type SessionLimits } from '../domain/panel-session.js';

interface Stored {
  readonly session: PanelSession;
  linkHash: Buffer | null;
  sessionHash: Buffer | null;
  startedAtMs: number;
  usedAtMs: number;
}

/** Sessions in memory, by the clock that it is given. */
export class InMemoryPanelSessions extends PanelSessions {
  private rows: Stored[] = [];

  constructor(private readonly clock: Clock) {
    super();
  }

  get size(): number {
    return this.rows.length;
  }

  override async add(session: PanelSession, linkHash: Buffer, withChange: WithChange): Promise<void> {
    await changed(session, withChange);
    const nowMs = this.clock.nowMs();
    this.rows.push({ session, linkHash, sessionHash: null, startedAtMs: nowMs, usedAtMs: nowMs });
  }

  override async open(
    linkHash: Buffer,
    sessionHash: Buffer,
    { linkMs }: Pick<SessionLimits, 'linkMs'>,
    withChange: WithChange,
  ): Promise<PanelSession | null> {
    const nowMs = this.clock.nowMs();
    const row = this.rows.find((one) => one.linkHash?.equals(linkHash) === true);
    if (row === undefined || nowMs - row.startedAtMs >= linkMs) return null;
    Object.assign(row, { linkHash: null, sessionHash, startedAtMs: nowMs, usedAtMs: nowMs });
    await changed(row.session, withChange);
    return row.session;
  }

  override async find(sessionHash: Buffer): Promise<(PanelSession & SessionAge) | null> {
    await Promise.resolve();
    const row = this.bySession(sessionHash);
    return row === undefined ? null : { ...row.session, ...this.ageOf(row) };
  }

  override async noteUse(id: string): Promise<void> {
    await Promise.resolve();
    const row = this.rows.find(({ session }) => session.id === id);
    if (row !== undefined) row.usedAtMs = this.clock.nowMs();
  }

  override async close(sessionHash: Buffer, withChange: WithChange): Promise<PanelSession | null> {
    const row = this.bySession(sessionHash);
    if (row === undefined) return null;
    this.rows = this.rows.filter((one) => one !== row);
    await changed(row.session, withChange);
    return row.session;
  }

  override async removeEnded(limits: SessionLimits, limit: number): Promise<number> {
    await Promise.resolve();
    const ended = this.rows.filter((row) =>
      row.sessionHash === null ? this.ageOf(row).ageMs >= limits.linkMs : hasEnded(this.ageOf(row), limits),
    );
    const removed = new Set(ended.slice(0, limit));
    this.rows = this.rows.filter((row) => !removed.has(row));
    return removed.size;
  }

  private bySession(sessionHash: Buffer): Stored | undefined {
    return this.rows.find((one) => one.sessionHash?.equals(sessionHash) === true);
  }

  private ageOf({ startedAtMs, usedAtMs }: Stored): SessionAge {
    const nowMs = this.clock.nowMs();
    return { ageMs: nowMs - startedAtMs, idleMs: nowMs - usedAtMs };
  }
}

async function changed(session: PanelSession, withChange: WithChange): Promise<void> {
  const { tenantId } = session;
  if (tenantId !== null) await withChange({ handle: null, tenantId }, session);
}
