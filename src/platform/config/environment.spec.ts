import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { readEnvironment } from './environment.js';

describe('readEnvironment', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'webhooks-environment-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('is the process’s own variables where there is no file', () => {
    expect(readEnvironment({ A: '1', B: undefined }, directory)).toEqual({ A: '1' });
  });

  it('reads a .env file with quotes and comments, under the process', () => {
    writeFileSync(join(directory, '.env'), '# secrets\nA=file\nB="two words" # note\nexport C=\'$A\'\n');
    expect(readEnvironment({ A: 'process' }, directory)).toEqual({ A: 'process', B: 'two words', C: '$A' });
  });

  it('takes a variable set to nothing for unset, and trims the others', () => {
    writeFileSync(join(directory, '.env'), 'A=file\nB=\nC=" "\n');
    expect(readEnvironment({ A: '  ', D: ' x ' }, directory)).toEqual({ A: 'file', D: 'x' });
  });
});
