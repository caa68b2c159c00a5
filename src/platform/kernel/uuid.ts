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
