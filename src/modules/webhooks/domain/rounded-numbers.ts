/** A string, or a number; strings are matched so that digits within them are passed over. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Numbers of a JSON text that are not written as they were when it is parsed and written again: 1.10, or 20 digits.
 *
 * @param most how many are listed, each once
 */
export function roundedNumbers(text: string, most: number): string[] {
  const found = new Set<string>();
  for (const [token] of text.matchAll(TOKEN)) {
    if (found.size >= most) break;
    if (!token.startsWith('"') && String(Number(token)) !== token) found.add(token);
  }
  return [...found];
}
