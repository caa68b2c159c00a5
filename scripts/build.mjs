/**
 * `npm run build`: checks and compiles `src/` to `dist/`, then makes one script of the service (service-script.mjs), then compiles
 * the migrations, which are loaded one by one. `dist/migrations` comes last: with it the build is whole.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { build } from 'esbuild';

import { COMPILER } from './compiler.mjs';
import { writeService } from './service-script.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const MIGRATIONS = join(ROOT, 'migrations');

rmSync(DIST, { recursive: true, force: true });
const compiled = spawnSync(process.execPath, [COMPILER, '-p', join(ROOT, 'tsconfig.build.json')], {
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
await writeService(DIST);
await build({
  // With what migrations share, in folders of its own.
  entryPoints: readdirSync(MIGRATIONS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => join(MIGRATIONS, name)),
  outbase: MIGRATIONS,
  outdir: join(DIST, 'migrations'),
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
});
