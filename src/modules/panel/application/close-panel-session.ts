import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { AuditTrail } from '../../webhooks/index.js';
import { tokenHash } from '../domain/session-token.js';
import { PanelSessions } from './ports/panel-sessions.js';
import { logged, recordedAsOwner } from './session-records.js';

/** Ends a session for every process at once. */
@Injectable()
export class ClosePanelSession {
  constructor(
    private readonly sessions: PanelSessions,
    private readonly trail: AuditTrail,
    private readonly logger: AppLogger,
  ) {}

  /** Where there is none any more, nothing is left to do. */
  async execute(token: string, requestId: string | null): Promise<void> {
    const session = await this.sessions.close(
      tokenHash(token),
      recordedAsOwner(this.trail, 'panel_session.closed', requestId),
    );
    if (session !== null) this.logger.info('Panel session closed', logged(session, requestId));
  }
}
