import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { initialiseFiles } from '../../src/platform/database/embedded-files.js';
import { PreparedCluster } from './prepared-clusters.js';

/**
 * Puts the files of a new embedded database into a data folder that has none: to make them takes 6 s of CPU, to copy them
 * almost none. For tests that are about something else than a first start.
 */
export async function prepareEmbeddedFiles(dataDir: string): Promise<void> {
  const files = join(dataDir, 'postgres');
  if (existsSync(files)) return;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const prepared = PreparedCluster.of(['embedded'], undefined);
  if (await prepared?.copyTo(files)) return;
  await initialiseFiles(files);
  await prepared?.keep(files);
}
