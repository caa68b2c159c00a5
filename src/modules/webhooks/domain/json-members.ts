/**
 * The members of a JSON object as the texts that they are written with, by name; of a repeated name the last one, as
 * parsers do. Numbers keep their digits so, which parsing would round.
 *
 * @param text a valid JSON object
 */
export function jsonMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const start = text.indexOf('"', at);
    if (start === -1) return members;
    const nameEnd = stringEnd(text, start);
    const valueStart = text.indexOf(':', nameEnd) + 1;
    const valueEnd = memberEnd(text, valueStart);
    members.set(JSON.parse(text.slice(start, nameEnd)) as string, text.slice(valueStart, valueEnd).trim());
    if (text[valueEnd] !== ',') return members;
    at = valueEnd + 1;
  }
}

/** After the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** At the comma or brace after a value. */
function memberEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth -= 1;
    } else if (character === ',' && depth === 0) return at;
  }
  return text.length;
}
