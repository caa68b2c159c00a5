import { JsonDocument } from './json-document.js';

/**
 * The members of a JSON object as the texts that they are written with, by name; of a repeated name the last one, as
 * parsers do. Numbers keep their digits so, which parsing would round.
 *
 * @param text a valid JSON object
 */
export function jsonMembers(text: string): ReadonlyMap<string, string> {
  const document = new JsonDocument(text);
  const members = [...document.members(document.root)];
  return new Map(members.map(([name, at]) => [name, document.textAt(at)]));
}
