/**
 * Runs the project's dependency rules over every fixture and prints what they report, as JSON. A process of its own:
 * dependency-cruiser inside jest's module system would load TypeScript through it, ten times as slowly.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const root = resolve(import.meta.dirname, '../..');
const fixtures = join(import.meta.dirname, 'fixtures');
const { ruleSet, ...options } = await extractOptions(join(root, '.dependency-cruiser.cjs'));
const tsConfig = extractTsConfig(join(root, 'tsconfig.json'));

const reports = {};
for (const name of readdirSync(fixtures).sort()) {
  const baseDir = join(fixtures, name);
  // The rules speak of paths from the root of the project, so each fixture is the root of one.
  process.chdir(baseDir);
  const folders = ['src', 'web'].filter((folder) => existsSync(join(baseDir, folder)));
  const { output } = await cruise(
    folders,
    { ...options, ruleSet, validate: true, baseDir },
    {},
    { tsConfig },
  );
  reports[name] = {
    broken: output.summary.violations.map(({ rule }) => rule.name),
    imports: output.summary.totalDependenciesCruised,
  };
}
console.log(JSON.stringify({ rules: ruleSet.forbidden.map((rule) => rule.name), reports }));
