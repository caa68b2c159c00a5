import type { IntakeResult } from '../../application/ports/event-intake.js';
import type { Undecided } from './known-filters.js';
import { listeningFilters } from './listening-filters.js';

/** What the functions that fan out answer of an event. */
export interface FanOutRow {
  readonly outcome: 'stored' | 'unmatched' | 'repeated' | 'undecided';
  readonly event_id: string | null;
  readonly fingerprint: string | null;
  readonly delivery_ids: string[];
  readonly subscription_ids: string[];
  readonly filters: string[];
  readonly filter_keys: string[];
}

export type NotStored = Exclude<IntakeResult, { readonly kind: 'stored' }> | Undecided;

/** Why it was not stored, or null: it was. */
export function notStored(row: FanOutRow): NotStored | null {
  switch (row.outcome) {
    case 'stored':
      return null;
    case 'undecided':
      return { kind: 'undecided', filters: listeningFilters(row) };
    case 'unmatched':
      return { kind: 'unmatched' };
    case 'repeated':
      return {
        kind: 'repeated',
        eventId: row.event_id ?? '',
        fingerprint: row.fingerprint ?? '',
        deliveryIds: row.delivery_ids,
      };
  }
}
