import { v7, validate } from 'uuid';

import { IdGenerator } from './id-generator.js';

export class UuidV7Generator extends IdGenerator {
  override next(): string {
    return v7();
  }
}

/** Ids from outside that are no UUID cannot exist; asking the database for them would be an error instead of a 404. */
export function isUuid(text: string): boolean {
  return validate(text);
}

/** The least UUIDv7 of that millisecond: every id made from then on sorts at or after it. */
export function firstUuidAt(time: Date): string {
  const hex = Math.max(time.getTime(), 0).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
