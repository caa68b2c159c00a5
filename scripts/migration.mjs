// `npm run migration:run|revert|show`: TypeORM migrations up, down and list, on DATABASE_URL.
import { existsSync } from 'node:fs';

const command = process.argv[2];

if (!existsSync(new URL('../dist/service/migration-cli.js', import.meta.url))) {
  const { ensureBuilt, ensureInstalled } = await import('./ensure-installed.mjs');
  await ensureInstalled();
  await ensureBuilt();
}
const { runMigrationCommand } = await import('../dist/service/migration-cli.js');
process.exitCode = await runMigrationCommand(command, process.env);
