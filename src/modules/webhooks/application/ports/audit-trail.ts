import type { Actor } from '../../../../platform/kernel/actor.js';
import type { AuditAction, AuditDetails, AuditEntry, AuditResource } from '../../domain/audit.js';
import type { Transaction } from './transaction.js';

/** A change that a tenant's token asked for. The tenant is the transaction's. */
export interface NewAuditEntry {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly action: AuditAction;
  readonly resourceType: AuditResource;
  readonly resourceId: string;
  readonly details: AuditDetails;
}

export interface AuditFilter {
  readonly action?: AuditAction | undefined;
  readonly resourceType?: AuditResource | undefined;
  readonly resourceId?: string | undefined;
  readonly actor?: string | undefined;
  /** At or after. */
  readonly since?: Date | undefined;
  /** Before. */
  readonly until?: Date | undefined;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly hasMore: boolean;
}

/**
 * Who changed what. An entry is written in the transaction of its change: both are there or neither. Must not come in:
 * reads, refusals, secrets, anything that changes or removes an entry.
 */
export abstract class AuditTrail {
  abstract record(transaction: Transaction, entry: NewAuditEntry): Promise<void>;
  /** Newest first, starting after the entry `afterId`. `limit` 1–100. */
  abstract list(
    transaction: Transaction,
    filter: AuditFilter,
    limit: number,
    afterId: string | null,
  ): Promise<AuditPage>;
}
