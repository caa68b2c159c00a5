import { describe, expect, it } from '@jest/globals';

import { droppedFunction, rewrittenFunction } from './newest-function.js';

describe('the text of a function that is made of the newest one', () => {
  it('looks for each piece, and drops the newest first only where it is asked to', () => {
    const made = rewrittenFunction('webhook_settle', [['a', 'b']]);
    expect(made).toContain('ARRAY[$text$a$text$]::text[]');
    expect(made).toContain('ARRAY[$text$b$text$]::text[]');
    expect(made).not.toContain('DROP FUNCTION');
    expect(rewrittenFunction('webhook_settle', [['a', 'b']], true)).toContain('DROP FUNCTION');
  });

  // Red when a name or a text could end the statement that it is in.
  it.each(['', 'a b', "a'", 'A', 'a; DROP TABLE x', 'public.a'])('refuses the name %p', (name) => {
    expect(() => rewrittenFunction(name, [])).toThrow('not the name of a function');
    expect(() => droppedFunction(name)).toThrow('not the name of a function');
  });

  it.each(['a$text$b', 'a$do$b'])('refuses the text %p', (text) => {
    expect(() => rewrittenFunction('f', [[text, 'b']])).toThrow('ends its own quotes');
    expect(() => rewrittenFunction('f', [['a', text]])).toThrow('ends its own quotes');
  });

  it('looks for something, and may put nothing in its place', () => {
    expect(() => rewrittenFunction('f', [['', 'b']])).toThrow('cannot be looked for');
    expect(rewrittenFunction('f', [['a', '']])).toContain('ARRAY[$text$$text$]::text[]');
  });
});
