import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { DataSource, type MigrationInterface } from 'typeorm';

import { projectFolder } from '../config/project-folder.js';
import { dataSourceOptions } from './data-source-options.js';
import { MigrationClient } from './guarded-client.js';

type MigrationClass = new () => MigrationInterface;

/** A connection that knows the migrations. The caller destroys it. */
export async function openForMigrations(url: string): Promise<DataSource> {
  const options = dataSourceOptions(url, 2);
  return new DataSource({
    ...options,
    extra: { ...(options.extra as object), Client: MigrationClient },
    migrations: await loadMigrations(),
  }).initialize();
}

/** The names of those that this database has, oldest first. Unlike TypeORM's own question it writes nothing. */
export async function executedMigrations(dataSource: DataSource): Promise<string[]> {
  const tables = await dataSource.query<{ present: boolean }[]>(
    `SELECT to_regclass('public.migrations') IS NOT NULL AS present`,
  );
  if (tables[0]?.present !== true) return [];
  const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM public.migrations ORDER BY id');
  return rows.map((row) => row.name);
}

/**
 * All migrations, oldest first. Imported here instead of by TypeORM, which compiles its `import()` from text: V8 caches
 * that, so under jest the second test file of a process would import into the environment of the first.
 */
async function loadMigrations(): Promise<MigrationClass[]> {
  const { folder, extension } = whereMigrationsLie();
  const files = readdirSync(folder).filter((file) => file.endsWith(extension) && !file.endsWith('.d.ts'));
  const loaded: unknown[] = [];
  for (const file of files.sort()) {
    const exported = (await import(pathToFileURL(join(folder, file)).href)) as Record<string, unknown>;
    loaded.push(...Object.values(exported));
  }
  return loaded.filter((one): one is MigrationClass => typeof one === 'function');
}

/** Built, as JavaScript; or in the project as TypeScript when the sources themselves are run (tests). */
function whereMigrationsLie(): { readonly folder: string; readonly extension: string } {
  return import.meta.filename.endsWith('.ts')
    ? { folder: join(projectFolder(), 'migrations'), extension: '.ts' }
    : { folder: join(projectFolder(), 'dist', 'migrations'), extension: '.js' };
}
