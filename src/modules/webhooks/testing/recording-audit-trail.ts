import { AuditTrail, type AuditPage, type NewAuditEntry } from '../application/ports/audit-trail.js';
import type { Transaction } from '../application/ports/transaction.js';

/** Keeps every entry that was recorded. It has no times, so it lists nothing. */
export class RecordingAuditTrail extends AuditTrail {
  readonly entries: NewAuditEntry[] = [];

  override async record(_transaction: Transaction, entry: NewAuditEntry): Promise<void> {
    this.entries.push(entry);
    return Promise.resolve();
  }

  override async list(): Promise<AuditPage> {
    return Promise.resolve({ entries: [], hasMore: false });
  }
}
