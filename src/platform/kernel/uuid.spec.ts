import { describe, expect, it } from '@jest/globals';
import { validate, version } from 'uuid';

import { firstUuidAt, uuidV7 } from './uuid.js';

describe('ids', () => {
  it('are UUIDs of version 7, in the order in which they were made, and never the same', () => {
    const before = firstUuidAt(new Date());
    // More than the random bytes that are fetched at a time, and many within a millisecond.
    const ids = Array.from({ length: 2_000 }, () => uuidV7());

    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect((ids[0] ?? '') >= before).toBe(true);
  });
});
