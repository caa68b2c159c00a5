import { describe, expect, it } from '@jest/globals';

import { SharedPlaces } from './shared-places.js';

describe('SharedPlaces', () => {
  it('has so many for a tenant, and so many for all', () => {
    const places = new SharedPlaces(3, 2);
    const took = ['a', 'a', 'a', 'b', 'b', 'c'].map((tenant) => places.take(tenant) !== null);
    expect(took).toEqual([true, true, false, true, false, false]);
  });

  // Red when giving back twice makes room that there is not.
  it('has a place again when it was given back, and one only', () => {
    const places = new SharedPlaces(2, 2);
    const [first, second] = [places.take('a')!, places.take('b')!];
    expect(places.take('c')).toBeNull();
    first();
    first();
    expect(places.take('c')).not.toBeNull();
    expect(places.take('c')).toBeNull();
    second();
    expect(places.take('b')).not.toBeNull();
  });
});
