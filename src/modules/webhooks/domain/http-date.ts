const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const MONTH = `(?<month>${MONTHS.join('|')})`;
/** RFC 9110 §5.6.7: the one that is sent, and two old ones that everybody has to read. All are UTC. */
const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^[A-Z][a-z]{2} ${MONTH} (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/** A two-digit year that would lie further ahead than this is one of the last century. */
const MAX_YEARS_AHEAD = 50;

/**
 * Reads an HTTP date, in milliseconds since 1970; null when it is none. Not by `Date.parse`, which takes a date without
 * a zone for local time, and much else for a date.
 */
export function parseHttpDate(text: string, nowMs: number): number | null {
  for (const form of FORMS) {
    const fields = form.exec(text)?.groups;
    if (fields === undefined) continue;
    const { day, month = '', year = '', hour, minute, second } = fields;
    const monthIndex = MONTHS.indexOf(month);
    const fullYear = year.length === 2 ? withCentury(Number(year), nowMs) : Number(year);
    const ms = Date.UTC(fullYear, monthIndex, Number(day), Number(hour), Number(minute), Number(second));
    // 31 February would be in March.
    const isReal = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
    return isReal && new Date(Date.UTC(fullYear, monthIndex, Number(day))).getUTCMonth() === monthIndex
      ? ms
      : null;
  }
  return null;
}

function withCentury(year: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const inThisCentury = Math.floor(thisYear / 100) * 100 + year;
  return inThisCentury > thisYear + MAX_YEARS_AHEAD ? inThisCentury - 100 : inThisCentury;
}
