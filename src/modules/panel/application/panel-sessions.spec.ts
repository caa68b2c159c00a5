import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Actor } from '../../../platform/kernel/actor.js';
import { UuidV7Generator } from '../../../platform/kernel/uuid.js';
import { FakeClock } from '../../webhooks/testing/fake-clock.js';
import { RecordingAuditTrail } from '../../webhooks/testing/recording-audit-trail.js';
import { RecordingLogger } from '../../webhooks/testing/recording-logger.js';
import { InMemoryPanelSessions } from '../testing/in-memory-panel-sessions.js';
import { ClosePanelSession } from './close-panel-session.js';
import { FindPanelSession, type SessionRequest } from './find-panel-session.js';
import { MakePanelLink, type MakePanelLinkCommand } from './make-panel-link.js';
import { OpenPanelSession } from './open-panel-session.js';
import { RemoveEndedSessions } from './remove-ended-sessions.js';

const MINUTE_MS = 60_000;
const ANA: Actor = { subject: 'ana@customer.com', requestId: 'r-1' };
const LOOK: SessionRequest = { isUse: true, isChange: false, method: 'GET', path: '/api', requestId: 'r-2' };
const COMMAND: MakePanelLinkCommand = {
  ...{ actor: ANA, tenantId: 'acme', isReadOnly: false },
  scopes: new Set(['webhooks:read', 'webhooks:write']),
};

describe('sessions of the panel', () => {
  let clock: FakeClock;
  let logger: RecordingLogger;
  let trail: RecordingAuditTrail;
  let stored: InMemoryPanelSessions;
  let make: MakePanelLink;
  let open: OpenPanelSession;
  let find: FindPanelSession;
  let close: ClosePanelSession;

  beforeEach(() => {
    clock = new FakeClock();
    logger = new RecordingLogger();
    trail = new RecordingAuditTrail();
    stored = new InMemoryPanelSessions(clock);
    make = new MakePanelLink(stored, trail, new UuidV7Generator(), clock, logger);
    open = new OpenPanelSession(stored, trail, clock, logger);
    find = new FindPanelSession(stored, logger);
    close = new ClosePanelSession(stored, trail, logger);
  });

  const linkOf = async (command: Partial<MakePanelLinkCommand> = {}): Promise<string> =>
    (await make.execute({ ...COMMAND, ...command })).token.reveal();
  const opened = async (command: Partial<MakePanelLinkCommand> = {}): Promise<string> =>
    (await open.execute(await linkOf(command), 'r-3')).token.reveal();
  const lives = async (token: string, request: Partial<SessionRequest> = {}): Promise<boolean> =>
    (await find.execute(token, { ...LOOK, ...request })) !== null;

  it('speak for whom the link was made for, with no more than the token may', async () => {
    const token = await opened({ isReadOnly: true });
    expect(await find.execute(token, LOOK)).toMatchObject({
      ...{ tenantId: 'acme', subject: ANA.subject, scopes: ['webhooks:read'], isReadOnly: true },
    });
  });

  it('are opened once by each link', async () => {
    const link = await linkOf();
    await open.execute(link, null);
    await expect(open.execute(link, null)).rejects.toMatchObject({ code: 'panel_link_invalid' });
    await expect(open.execute('made-up', null)).rejects.toMatchObject({ code: 'panel_link_invalid' });
  });

  it('are opened within a minute, or not', async () => {
    const [inTime, late] = [await linkOf(), await linkOf()];
    clock.advance(MINUTE_MS - 1);
    await open.execute(inTime, null);
    clock.advance(1);
    await expect(open.execute(late, null)).rejects.toMatchObject({ code: 'panel_link_invalid' });
  });

  it('end half an hour after their last use, and watching is none', async () => {
    const token = await opened();
    clock.advance(20 * MINUTE_MS);
    expect(await lives(token)).toBe(true);
    clock.advance(20 * MINUTE_MS);
    expect(await lives(token, { isUse: false })).toBe(true);
    clock.advance(10 * MINUTE_MS);
    expect(await lives(token)).toBe(false);
  });

  it('end after eight hours, however much they are used', async () => {
    const token = await opened();
    for (let minutes = 0; minutes < 8 * 60 - 10; minutes += 10) {
      clock.advance(10 * MINUTE_MS);
      expect(await lives(token)).toBe(true);
    }
    clock.advance(10 * MINUTE_MS);
    expect(await lives(token)).toBe(false);
  });

  it('end when they are closed', async () => {
    const [token, other] = [await opened(), await opened()];
    await close.execute(token, 'r-4');
    await close.execute(token, 'r-4');
    expect([await lives(token), await lives(other)]).toEqual([false, true]);
  });

  it('are removed when their time is over, and not before', async () => {
    const remove = new RemoveEndedSessions(stored);
    await linkOf();
    await opened();
    await remove.execute(() => false);
    expect(stored.size).toBe(2);
    clock.advance(MINUTE_MS);
    await remove.execute(() => false);
    expect(stored.size).toBe(1);
    clock.advance(29 * MINUTE_MS);
    await remove.execute(() => false);
    expect(stored.size).toBe(0);
  });

  // Red when a token gets into the log or the trail, or when a change is not said.
  it('leave lines of who made, opened, changed and closed, and none of what opens them', async () => {
    const link = await linkOf();
    const token = (await open.execute(link, 'r-3')).token.reveal();
    const { id } = (await find.execute(token, { ...LOOK, isChange: true, method: 'POST', path: '/api/x' }))!;
    await close.execute(token, 'r-4');
    const of = { sessionId: id, tenantId: 'acme', actor: ANA.subject, readOnly: false };
    expect(logger.lines.map(({ message, fields }) => [message, fields])).toEqual([
      ['Panel link made', { ...of, requestId: 'r-1' }],
      ['Panel session opened', { ...of, requestId: 'r-3' }],
      ['Panel session asks for a change', { ...of, requestId: 'r-2', method: 'POST', path: '/api/x' }],
      ['Panel session closed', { ...of, requestId: 'r-4' }],
    ]);
    expect(trail.entries).toMatchObject([
      { action: 'panel_session.created', resourceId: id, actor: ANA },
      { action: 'panel_session.opened', resourceId: id, actor: { ...ANA, requestId: 'r-3' } },
      { action: 'panel_session.closed', resourceId: id, actor: { ...ANA, requestId: 'r-4' } },
    ]);
    const said = JSON.stringify([logger.lines, trail.entries]);
    expect(said).not.toContain(link);
    expect(said).not.toContain(token);
  });

  it('of an administrator are of no tenant, and in no tenant’s trail', async () => {
    const token = await opened({ tenantId: null, scopes: new Set(['webhooks:admin']) });
    expect(await find.execute(token, LOOK)).toMatchObject({ tenantId: null, scopes: ['webhooks:admin'] });
    expect(trail.entries).toEqual([]);
    expect(logger.messages('info')).toEqual(['Panel link made', 'Panel session opened']);
  });
});
