/** What is kept of a response's body, and at most what is stored of it in UTF-8. */
export const STORED_BODY_BYTES = 4 * 1024;

const scratch = new Uint8Array(STORED_BODY_BYTES);
const encoder = new TextEncoder();

/**
 * The stored form of a body: invalid UTF-8 and NUL (which PostgreSQL's text refuses) become U+FFFD, and it takes at most
 * 4 KiB as UTF-8 without ending inside a character.
 *
 * @param isWhole false when more bytes followed: a character cut at the end is then dropped instead of replaced
 */
export function storedBodyOf(bytes: Buffer, isWhole: boolean): string {
  const head = bytes.subarray(0, STORED_BODY_BYTES);
  const isCut = !isWhole || head.length < bytes.length;
  // Nearly every answer is short and whole; Buffer's own decoder costs a tenth of a TextDecoder.
  const decoded = isCut
    ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(head, { stream: true })
    : head.toString('utf8');
  const text = decoded.includes('\0') ? decoded.replaceAll('\0', '\uFFFD') : decoded;
  // A replaced byte takes three, so 4 KiB of rubbish would become 12.
  if (text.length * 3 <= STORED_BODY_BYTES) return text;
  return text.slice(0, encoder.encodeInto(text, scratch).read);
}
