import { JsonDocument } from './json-document.js';

/** Longer ones are not looked for by anybody. */
export const MAX_RESOURCE_ID_LENGTH = 200;

/** What a database can hold and compare: no control characters, no halves of a pair. */
const SEARCHABLE = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/** Where it may stand in a payload, in this order. */
const NAMES = ['resource_id', 'id'];

/**
 * What an event is about, by which its deliveries are found: `resource_id` of its payload, or `id`, where that is a text or a
 * number; a number as it is written. Null: it does not say.
 *
 * @param payload JSON text of an object
 */
export function resourceIdOf(payload: string): string | null {
  const named = NAMES.filter((name) => payload.includes(`"${name}"`));
  if (named.length === 0) return null;
  const document = new JsonDocument(payload);
  for (const name of named) {
    const at = document.member(document.root, name);
    const id = at === undefined ? null : idAt(document, at);
    if (id !== null) return SEARCHABLE.test(id) ? id : null;
  }
  return null;
}

function idAt(document: JsonDocument, at: number): string | null {
  const kind = document.kindAt(at);
  if (kind === 'string') return document.stringAt(at);
  return kind === 'number' ? document.textAt(at) : null;
}
