import { expect, it } from '@jest/globals';

import { roundedNumbers } from './rounded-numbers.js';

it.each([
  ['{"a":1,"b":-2.5,"c":1e-7,"d":"1.10","e":"\\"1.10"}', []],
  ['{"a":1.10,"b":[12345678901234567890,1.10,1E3]}', ['1.10', '12345678901234567890', '1E3']],
  ['[-0,1.0,2.0,3.0]', ['-0', '1.0', '2.0']],
])('of %s', (text, numbers) => {
  expect(roundedNumbers(text, 3)).toEqual(numbers);
});
