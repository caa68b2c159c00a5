import { describe, expect, it } from '@jest/globals';

import { requestHeaderProblem } from './request-headers.js';

describe('requestHeaderProblem', () => {
  it('finds the same when it is asked again', () => {
    for (const time of [1, 2]) {
      expect(requestHeaderProblem({ 'X-A': `${time}`, 'X-B': 'ä' })).toBeNull();
      expect(requestHeaderProblem({ 'X-A': 'a', host: 'b' })).toMatch(/"host" must not be set/);
      expect(requestHeaderProblem({ 'X-A': 'a', 'x-a': 'b' })).toMatch(/"x-a" is given twice/);
    }
  });

  it('looks at values each time, whatever the names are', () => {
    expect(requestHeaderProblem({ 'X-A': 'a' })).toBeNull();
    expect(requestHeaderProblem({ 'X-A': 'a\r\nX-B: b' })).toMatch(/value of request header "X-A"/);
  });

  // Red when lists of names are remembered without their number.
  it('takes no name with a line break for several good ones', () => {
    expect(requestHeaderProblem({ 'X-A': 'a', 'X-B': 'b' })).toBeNull();
    expect(requestHeaderProblem({ 'X-A\nX-B': 'a' })).toMatch(/name "X-A\\nX-B" is not valid/);
  });
});
