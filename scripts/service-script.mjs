/**
 * The service as one script, and small programs that call it, of which `dist/main.js` is the server. The modules in `dist/` remain
 * as they are: they are the library.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { compileScript, writeScript } from './one-script.mjs';

const SERVICE = `
export async function run(env) {
  await import('reflect-metadata');
  return (await import('./server.js')).run(env);
}
export async function runMigrationCommand(command, env) {
  return (await import('./platform/database/migration-cli.js')).runMigrationCommand(command, env);
}
export async function runTokenCommand(args, env) {
  return (await import('./platform/auth/mint-token.js')).runTokenCommand(args, env);
}
export { ENGINE_LIMITS } from './modules/webhooks/application/engine-limits.js';
export async function load() {
  await import('reflect-metadata');
  await import('./platform/database/prepare-database.js');
  await import('./http-app.js');
}`;

/** Relative to `dist/`, with what each takes of the script. */
const PROGRAMS = {
  'main.js': `import { service } from './service/service.js';\nprocess.exit(await service.exports.run(process.env));\n`,
  'service/service.js': `import { join } from 'node:path';\nimport { loadScript } from './load.js';\nexport const service = loadScript(join(import.meta.dirname, 'service.cjs'));\n`,
  'service/migration-cli.js': `import { service } from './service.js';\nexport const { runMigrationCommand } = service.exports;\n`,
  'service/mint-token.js': `import { service } from './service.js';\nexport const { runTokenCommand } = service.exports;\n`,
  // For the fault suite, whose workers get other limits.
  'service/engine-limits.js': `import { service } from './service.js';\nexport const { ENGINE_LIMITS } = service.exports;\n`,
};

/** @param {string} dist what the compiler made of `src/` */
export async function writeService(dist) {
  const script = join(dist, 'service/service.cjs');
  await writeScript(SERVICE, dist, script);
  for (const [path, text] of Object.entries(PROGRAMS)) await writeFile(join(dist, path), text);
  await compileScript(script);
}
