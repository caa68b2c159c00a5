import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the migrations lie, as a pattern for TypeORM: beside the built server as JavaScript, or in the project as
 * TypeScript when the sources themselves are run (tests).
 */
export function migrationsPattern(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const built = join(here, '..', '..', 'migrations');
  return existsSync(built) ? join(built, '*.js') : join(here, '..', '..', '..', 'migrations', '*.ts');
}
