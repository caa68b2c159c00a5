import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A script beside this one by its name, imported or read as a file. */
const NAME = /['"](?:\.\/)?([\w-]+\.mjs)['"]/g;

/**
 * What a script of this folder is made of: itself and every other that it names, and those that they name. Imports nothing outside
 * Node: it runs before there is a node_modules.
 *
 * @param {string} name e.g. `build.mjs`
 * @returns {string[]} paths from the root of the project
 */
export function ownScripts(name) {
  const found = new Set([name]);
  for (const one of found) {
    const text = readFileSync(join(import.meta.dirname, one), 'utf8');
    for (const [, other] of text.matchAll(NAME)) {
      if (existsSync(join(import.meta.dirname, other))) found.add(other);
    }
  }
  return [...found].map((script) => `scripts/${script}`);
}
