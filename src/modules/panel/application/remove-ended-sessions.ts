import { Injectable } from '@nestjs/common';

import { SESSION_LIMITS } from '../domain/panel-session.js';
import { PanelSessions } from './ports/panel-sessions.js';

/** Rows in one transaction. */
const BATCH_ROWS = 1_000;

/** Removes links and sessions whose time is over. */
@Injectable()
export class RemoveEndedSessions {
  constructor(private readonly sessions: PanelSessions) {}

  /** @param isStopped asked between batches */
  async execute(isStopped: () => boolean): Promise<void> {
    let removed = BATCH_ROWS;
    while (removed === BATCH_ROWS && !isStopped()) {
      removed = await this.sessions.removeEnded(SESSION_LIMITS, BATCH_ROWS);
    }
  }
}
