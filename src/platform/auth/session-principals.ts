import type { Principal } from './principal.js';

/** What a session is asked for. `watching`: an open stream wants to know whether to go on, which is no use of the session. */
export interface SessionUse {
  readonly kind: 'request' | 'watching';
  readonly method: string;
  /** Without its query, which may have anything in it. */
  readonly path: string;
  readonly requestId: string | null;
}

/** Who the cookie of a session stands for. A module that makes sessions offers it to the whole application. */
export abstract class SessionPrincipals {
  /** @returns null when there is no such session, or it has ended */
  abstract find(token: string, use: SessionUse): Promise<Principal | null>;
}
