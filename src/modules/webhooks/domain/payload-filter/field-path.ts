import type { JsonDocument } from '../json-document.js';

/** Names that one path may have. */
export const MAX_PATH_LENGTH = 20;

/** What may follow a backslash and then is itself: any other backslash is a character like others. */
const ESCAPABLE: ReadonlySet<string | undefined> = new Set(['.', '\\', '$']);
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** The names of a dotted path. `\.` is a dot, `\\` a backslash and `\$` a dollar within one. */
export function pathNames(path: string): readonly string[] {
  const names: string[] = [];
  let name = '';
  for (let at = 0; at < path.length; at += 1) {
    const character = path[at] ?? '';
    if (character === '\\' && ESCAPABLE.has(path[at + 1])) {
      at += 1;
      name += path[at] ?? '';
    } else if (character === '.') {
      names.push(name);
      name = '';
    } else name += character;
  }
  return [...names, name];
}

export interface FoundValues {
  /** Several where the path leads through a list of objects, none where it is missing. */
  readonly places: readonly number[];
  /** How many values were looked at on the way. */
  readonly steps: number;
}

/** Where a payload has values under a path. A number picks from a list, any other name goes into each object of it. */
export function valuesUnder(document: JsonDocument, names: readonly string[]): FoundValues {
  let places: readonly number[] = [document.root];
  let steps = 0;
  for (const name of names) {
    const found: number[] = [];
    const isIndex = INDEX.test(name);
    const lookInto = (at: number): void => {
      steps += 1;
      const place = document.kindAt(at) === 'object' ? document.member(at, name) : undefined;
      if (place !== undefined) found.push(place);
    };
    for (const at of places) {
      if (document.kindAt(at) !== 'array') lookInto(at);
      else if (!isIndex) document.items(at).forEach(lookInto);
      else {
        const place = document.items(at)[Number(name)];
        if (place !== undefined) found.push(place);
      }
    }
    places = found;
  }
  return { places, steps };
}
