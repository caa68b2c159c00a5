import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { hasEnded, SESSION_LIMITS, type PanelSession, type SessionAge } from '../domain/panel-session.js';
import { tokenHash } from '../domain/session-token.js';
import { PanelSessions } from './ports/panel-sessions.js';
import { logged } from './session-records.js';

export interface SessionRequest {
  /** Watching is no use: a page that is open and forgotten comes to its end. */
  readonly isUse: boolean;
  /** Asks for a change, which the log names with whoever asked. */
  readonly isChange: boolean;
  readonly method: string;
  readonly path: string;
  readonly requestId: string | null;
}

/** Who a session speaks for, as long as it lives. Asked anew at each request: what one process ends has ended for all. */
@Injectable()
export class FindPanelSession {
  constructor(
    private readonly sessions: PanelSessions,
    private readonly logger: AppLogger,
  ) {}

  /** @returns null when there is no such session, or its time is over */
  async execute(token: string, request: SessionRequest): Promise<(PanelSession & SessionAge) | null> {
    const session = await this.sessions.find(tokenHash(token));
    if (session === null || hasEnded(session)) return null;
    if (request.isUse && session.idleMs >= SESSION_LIMITS.noteMs) await this.sessions.noteUse(session.id);
    if (request.isChange) {
      const { method, path, requestId } = request;
      this.logger.info('Panel session asks for a change', { method, path, ...logged(session, requestId) });
    }
    return session;
  }
}
