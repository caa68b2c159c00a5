import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

interface FixtureReport {
  /** Names of the rules that reported something, once per report. */
  readonly broken: readonly string[];
  readonly imports: number;
}

interface Cruise {
  readonly rules: readonly string[];
  readonly reports: Readonly<Record<string, FixtureReport>>;
}

describe('the import rules of .dependency-cruiser.cjs', () => {
  let cruise: Cruise;

  beforeAll(() => {
    const script = join(import.meta.dirname, 'cruise-fixtures.mjs');
    cruise = JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' })) as Cruise;
  }, 60_000);

  it('have one fixture each, named like the rule, and there is no other', () => {
    const fixtures = Object.keys(cruise.reports).filter((name) => name !== 'good');

    expect(fixtures.toSorted()).toEqual(cruise.rules.toSorted());
  });

  it('each report their bad fixture, and no other rule does', () => {
    const broken = Object.fromEntries(
      Object.entries(cruise.reports).map(([name, report]) => [name, [...new Set(report.broken)]]),
    );
    const expected = Object.fromEntries(cruise.rules.map((rule) => [rule, [rule]]));

    expect(broken).toEqual({ ...expected, good: [] });
  });

  it('see the imports of the good fixture, so that its silence means something', () => {
    expect(cruise.reports['good']?.imports).toBeGreaterThan(30);
  });
});
