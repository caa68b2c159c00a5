import { randomFillSync } from 'node:crypto';

import { v7, validate } from 'uuid';

import { IdGenerator } from './id-generator.js';

const BYTES = 16;

/** Random bytes for the next ids: one call of the system for 256 of them, which is nearly all that an id costs. */
const pool = new Uint8Array(256 * BYTES);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/** A UUIDv7. Those of one process sort in the order in which they were made, also within a millisecond, and when a clock goes back. */
export function uuidV7(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + BYTES);
  used += BYTES;
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Begins in the lower half of its 32 bits.
    sequence = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1;
  } else {
    sequence = (sequence + 1) >>> 0;
    if (sequence === 0) lastMs += 1;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
}

export class UuidV7Generator extends IdGenerator {
  override next(): string {
    return uuidV7();
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
