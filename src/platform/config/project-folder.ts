import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder of the package that this code belongs to. Found by its package.json and not by counting folders: the code is run
 * from `src/`, from `dist/`, and from the few files that the built service consists of.
 */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`There is no package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}
