import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The process's variables over those of a `.env` file in the working directory; the process wins. A variable that is set
 * to nothing counts as unset.
 */
export function readEnvironment(processEnv: Environment, directory = process.cwd()): Environment {
  const file = join(directory, '.env');
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  const merged: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(fromFile), ...Object.entries(processEnv)]) {
    if (value !== undefined && value.trim() !== '') merged[name] = value.trim();
  }
  return merged;
}
