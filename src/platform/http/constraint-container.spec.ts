import { expect, it } from '@jest/globals';

import { constraintContainer } from './constraint-container.js';

class Ours {}
class Theirs {}

it('asks for each class once, also for one that nobody provides', () => {
  const ours = new Ours();
  const asked: unknown[] = [];
  const container = constraintContainer((type) => {
    asked.push(type);
    if (type === Ours) return ours;
    throw new Error('unknown');
  });

  const answers = [Ours, Theirs, Ours, Theirs].map((type) => container.get(type));

  expect(answers).toEqual([ours, null, ours, null]);
  expect(asked).toEqual([Ours, Theirs]);
});
