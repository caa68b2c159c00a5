import { describe, expect, it } from '@jest/globals';

import { overlapProblem } from './secret-rotation.js';

describe('overlapProblem', () => {
  it.each([0, 0.001, 1, 24, 167.5, 168])('takes %d hours', (hours) => {
    expect(overlapProblem(hours)).toBeNull();
  });

  it.each([-0.001, -1, 168.001, 1e9, Infinity, -Infinity, NaN])('refuses %d hours', (hours) => {
    expect(overlapProblem(hours)).toBe('Overlap must be a number of hours from 0 to 168');
  });
});
