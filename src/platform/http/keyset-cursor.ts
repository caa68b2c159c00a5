import { InvalidInputError } from '../kernel/domain-error.js';

/** 16 bytes in base64url; the last digit holds two bits of them. Every text of this form is a position. */
export const CURSOR = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** A cursor is opaque to clients: the UUID of the last row on the page, in base64url. */
export function encodeCursor(lastId: string): string {
  return Buffer.from(lastId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** @throws InvalidInputError when the text was not made by {@link encodeCursor}. */
export function decodeCursor(cursor: string): string {
  if (!CURSOR.test(cursor)) {
    throw new InvalidInputError([
      {
        type: 'value_error',
        loc: ['query', 'cursor'],
        msg: 'Cursor is not valid: take it from the Link header of the page before',
      },
    ]);
  }
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
