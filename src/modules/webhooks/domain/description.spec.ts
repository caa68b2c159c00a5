import { describe, expect, it } from '@jest/globals';

import { descriptionProblems } from './description.js';

describe('descriptionProblems', () => {
  it.each(['', 'Pedidos → ERP', 'two\nlines\tand a tab', '🙂'.repeat(500)])('takes %j', (text) => {
    expect(descriptionProblems(text, ['description'])).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['x'.repeat(501), 'Too long'],
    ['a\u0000b', 'Description must not contain control characters or half characters'],
    ['a\u0085b', 'Description must not contain control characters or half characters'],
    ['\ud800', 'Description must not contain control characters or half characters'],
    [5, 'description must be a string'],
    [['x'], 'description must be a string'],
  ])('refuses %j: %s', (value, msg) => {
    expect(descriptionProblems(value, ['description'])).toEqual([{ path: ['description'], msg }]);
  });
});
