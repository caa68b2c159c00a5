import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import type { SecretText } from '../../../platform/kernel/secret-text.js';
import { AuditTrail } from '../../webhooks/index.js';
import { PanelError } from '../domain/errors.js';
import { SESSION_LIMITS, type PanelSession } from '../domain/panel-session.js';
import { newSessionToken, tokenHash } from '../domain/session-token.js';
import { PanelSessions } from './ports/panel-sessions.js';
import { logged, recordedAsOwner } from './session-records.js';

export interface OpenedPanelSession {
  readonly session: PanelSession;
  readonly token: SecretText;
  readonly endsAt: Date;
}

/** Spends a link for a session. */
@Injectable()
export class OpenPanelSession {
  constructor(
    private readonly sessions: PanelSessions,
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  /** @throws PanelError `panel_link_invalid`, whatever is wrong with the link. */
  async execute(linkToken: string, requestId: string | null): Promise<OpenedPanelSession> {
    const token = newSessionToken();
    const session = await this.sessions.open(
      tokenHash(linkToken),
      tokenHash(token.reveal()),
      SESSION_LIMITS,
      recordedAsOwner(this.trail, 'panel_session.opened', requestId),
    );
    if (session === null) {
      this.logger.warn('Panel link refused: not known, used, or too old', { requestId });
      throw new PanelError('panel_link_invalid');
    }
    this.logger.info('Panel session opened', logged(session, requestId));
    return { session, token, endsAt: new Date(this.clock.nowMs() + SESSION_LIMITS.totalMs) };
  }
}
