import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import type { SecretText } from '../../../platform/kernel/secret-text.js';
import { AuditTrail } from '../../webhooks/index.js';
import { SESSION_LIMITS, sessionScopes, type PanelSession } from '../domain/panel-session.js';
import { newLinkToken, tokenHash } from '../domain/session-token.js';
import { PanelSessions } from './ports/panel-sessions.js';
import { logged, recorded } from './session-records.js';

export interface MakePanelLinkCommand {
  readonly actor: Actor;
  /** Null for an administrator's session, of no tenant. */
  readonly tenantId: string | null;
  /** Those of the token. */
  readonly scopes: ReadonlySet<string>;
  readonly isReadOnly: boolean;
}

export interface PanelLink {
  readonly session: PanelSession;
  readonly token: SecretText;
  readonly expiresAt: Date;
}

/** Makes a link that opens the panel once, within a minute, for whoever a token speaks for. */
@Injectable()
export class MakePanelLink {
  constructor(
    private readonly sessions: PanelSessions,
    private readonly trail: AuditTrail,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  async execute({ actor, tenantId, scopes, isReadOnly }: MakePanelLinkCommand): Promise<PanelLink> {
    const token = newLinkToken();
    const session: PanelSession = {
      id: this.ids.next(),
      tenantId,
      subject: actor.subject,
      scopes: sessionScopes(scopes, isReadOnly),
      isReadOnly,
    };
    await this.sessions.add(
      session,
      tokenHash(token.reveal()),
      recorded(this.trail, 'panel_session.created', actor),
    );
    this.logger.info('Panel link made', logged(session, actor.requestId));
    return { session, token, expiresAt: new Date(this.clock.nowMs() + SESSION_LIMITS.linkMs) };
  }
}
