/** A decimal number with every digit that it was written with: ± 0.DIGITS × 10^magnitude. */
export interface ExactNumber {
  readonly isNegative: boolean;
  /** Without zeros in front and behind; empty: the number is zero. */
  readonly digits: string;
  readonly magnitude: number | bigint;
}

/** Digits of an exponent that is exact as a number, with some room. */
const SAFE_EXPONENT = 12;

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Reads a JSON number. 150, 150.0 and 1.5e2 are the same; 12345678901234567890 and …891 are not. */
export function exactNumber(text: string): ExactNumber {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  const all = whole + fraction;
  const first = firstNot(all);
  if (first === all.length) return { isNegative: false, digits: '', magnitude: 0 };
  return {
    isNegative: sign === '-',
    digits: all.slice(first, lastNot(all) + 1),
    magnitude: sum(exponent, whole.length - first),
  };
}

/** A number whenever it is exact as one, so that the same magnitude is always of the same type. */
function sum(exponent: string, shift: number): number | bigint {
  if (exponent.length <= SAFE_EXPONENT) return Number(exponent) + shift;
  const exact = BigInt(exponent.replace('+', '')) + BigInt(shift);
  const rounded = Number(exact);
  return Number.isSafeInteger(rounded) ? rounded : exact;
}

/** The same text for the same number. */
export function numberKey({ isNegative, digits, magnitude }: ExactNumber): string {
  return `${isNegative ? '-' : ''}${digits}e${magnitude}`;
}

/** @returns below 0, 0 or above 0, as `a` is less than, the same as or more than `b` */
export function compareNumbers(a: ExactNumber, b: ExactNumber): number {
  const signs = signOf(a) - signOf(b);
  if (signs !== 0) return signs;
  if (a.magnitude !== b.magnitude) return (a.magnitude < b.magnitude ? -1 : 1) * signOf(a);
  // Digits after the point: the shorter one has zeros from there on.
  return a.digits === b.digits ? 0 : (a.digits < b.digits ? -1 : 1) * signOf(a);
}

function signOf({ isNegative, digits }: ExactNumber): number {
  return digits === '' ? 0 : isNegative ? -1 : 1;
}

/* Loops, not patterns: a pattern for the zeros at an end goes over each run of zeros within again. */
function firstNot(digits: string): number {
  let at = 0;
  while (digits[at] === '0') at += 1;
  return at;
}

function lastNot(digits: string): number {
  let at = digits.length - 1;
  while (digits[at] === '0') at -= 1;
  return at;
}
