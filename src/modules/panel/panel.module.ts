import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { SessionPrincipals } from '../../platform/auth/session-principals.js';
import { Clock, SystemClock } from '../../platform/kernel/clock.js';
import { IdGenerator } from '../../platform/kernel/id-generator.js';
import { UuidV7Generator } from '../../platform/kernel/uuid.js';
import { PanelLinksController } from './api/panel-links.controller.js';
import { PanelSessionController } from './api/panel-session.controller.js';
import { ClosePanelSession } from './application/close-panel-session.js';
import { FindPanelSession } from './application/find-panel-session.js';
import { MakePanelLink } from './application/make-panel-link.js';
import { OpenPanelSession } from './application/open-panel-session.js';
import { PanelSessions } from './application/ports/panel-sessions.js';
import { RemoveEndedSessions } from './application/remove-ended-sessions.js';
import { PanelSessionPrincipals } from './infrastructure/panel-session-principals.js';
import { PanelSessionRow } from './infrastructure/panel-session.row.js';
import { SessionSweep } from './infrastructure/session-sweep.js';
import { TypeormPanelSessions } from './infrastructure/typeorm-panel-sessions.js';

/** Access to the panel: links that open it, and sessions by cookie, which the whole application takes. */
@Module({})
export class PanelModule {
  static forRoot(): DynamicModule {
    return {
      module: PanelModule,
      // Whoever finds out who is asking asks for sessions as well, without importing this module.
      global: true,
      imports: [TypeOrmModule.forFeature([PanelSessionRow])],
      controllers: [PanelLinksController, PanelSessionController],
      providers: [
        MakePanelLink,
        OpenPanelSession,
        FindPanelSession,
        ClosePanelSession,
        RemoveEndedSessions,
        SessionSweep,
        { provide: PanelSessions, useClass: TypeormPanelSessions },
        { provide: SessionPrincipals, useClass: PanelSessionPrincipals },
        { provide: Clock, useClass: SystemClock },
        { provide: IdGenerator, useClass: UuidV7Generator },
      ],
      exports: [SessionPrincipals],
    };
  }
}
