/*
 * Texts by their code points, as people and databases count, where JavaScript counts halves of pairs. A half without the
 * other is a code point of its own.
 */

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** @returns below 0, 0 or above 0, as `a` sorts before, with or after `b` */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === length) return a.length - b.length;
  // In the middle of a pair of either: the code points that differ begin one before.
  const isWithin = isHigh(a.charCodeAt(at - 1)) && (isLow(a.charCodeAt(at)) || isLow(b.charCodeAt(at)));
  const from = isWithin ? at - 1 : at;
  return (a.codePointAt(from) ?? 0) - (b.codePointAt(from) ?? 0);
}

export function startsWithPoints(text: string, start: string): boolean {
  return text.startsWith(start) && !isPair(text, start.length);
}

export function endsWithPoints(text: string, end: string): boolean {
  return text.endsWith(end) && !isPair(text, text.length - end.length);
}

/** Whether the units before and at `at` are one code point. */
function isPair(text: string, at: number): boolean {
  return at > 0 && isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
}
