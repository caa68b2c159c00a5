/** A day, or a time as in RFC 3339, which may leave its offset from UTC out. Seconds may be 60: there are leap seconds. */
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:T((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?$/i;

/** Nothing that the service keeps is older or newer, and every database and every UUID can express what lies between. */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The instant that a text names, a day being its midnight, and a time without an offset one of UTC; null when it names
 * none: `new Date` would read `2026-02-30` as a day in March, and `2026-11-24T09:00:00` as a time of wherever the server
 * stands. Instants before 1970 or after 9999 become the first and the last one between.
 */
export function parseInstant(text: string): Date | null {
  const [, day, minute = '00:00', second = '00', fraction = '', offset = 'Z'] = INSTANT.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return null;
  const isLeapSecond = second === '60';
  const start = Date.parse(`${day}T${minute}:${isLeapSecond ? '59' : second}${offset.toUpperCase()}`);
  const millisecond = Math.floor(Number(`0${fraction}`) * 1_000);
  const instant = start + millisecond + (isLeapSecond ? 1_000 : 0);
  return new Date(Math.min(Math.max(instant, EARLIEST_MS), LATEST_MS));
}

/** The same for an optional field that the validation has checked: malformed texts never come here. */
export function givenInstant(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : (parseInstant(text) ?? undefined);
}

function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
