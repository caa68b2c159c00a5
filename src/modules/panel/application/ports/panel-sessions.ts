import type { Transaction } from '../../../webhooks/index.js';
import type { PanelSession, SessionAge, SessionLimits } from '../../domain/panel-session.js';

/** Writes what belongs to a change into its transaction. Called for sessions of a tenant, which is the transaction's. */
export type WithChange = (transaction: Transaction, session: PanelSession) => Promise<void>;

/**
 * Sessions of all tenants and of administrators, and the links that they are opened with, by the hashes of their tokens: what is
 * stored opens nothing. Times are the storage's own. Must not come in: tokens themselves, cookies, what a session may do.
 */
export abstract class PanelSessions {
  /** Stores one that is not open yet, with the link that opens it. */
  abstract add(session: PanelSession, linkHash: Buffer, withChange: WithChange): Promise<void>;
  /**
   * Spends a link: of several at once, one opens the session.
   *
   * @returns null when nobody knows the link, it was spent, or it is older than `linkMs`
   */
  abstract open(
    linkHash: Buffer,
    sessionHash: Buffer,
    limits: Pick<SessionLimits, 'linkMs'>,
    withChange: WithChange,
  ): Promise<PanelSession | null>;
  /** An open session, whether its time is over or not. */
  abstract find(sessionHash: Buffer): Promise<(PanelSession & SessionAge) | null>;
  /** That it was used now. */
  abstract noteUse(id: string): Promise<void>;
  /** @returns null when there was none */
  abstract close(sessionHash: Buffer, withChange: WithChange): Promise<PanelSession | null>;
  /** Removes up to `limit` links and sessions whose time is over. @returns how many */
  abstract removeEnded(limits: SessionLimits, limit: number): Promise<number>;
}
