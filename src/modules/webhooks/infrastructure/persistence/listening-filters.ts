import type { ListeningFilter } from './known-filters.js';

/** What the functions that fan out answer when they are undecided: arrays with one element for each filter. */
interface UndecidedRow {
  readonly subscription_ids: readonly string[];
  readonly filters: readonly string[];
  readonly filter_keys: readonly string[];
}

export function listeningFilters(row: UndecidedRow): ListeningFilter[] {
  return row.subscription_ids.map((subscriptionId, n) => ({
    subscriptionId,
    key: row.filter_keys[n] ?? '',
    text: row.filters[n] ?? '',
  }));
}
