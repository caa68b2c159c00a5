import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { isUuid } from '../../../platform/kernel/uuid.js';

/** A cursor is opaque to clients: the id of the last delivery on the page, in base64url. */
export function encodeCursor(lastId: string): string {
  return Buffer.from(lastId, 'utf8').toString('base64url');
}

/** @throws InvalidInputError when the text was not made by {@link encodeCursor}. */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!isUuid(id)) {
    throw new InvalidInputError([
      {
        type: 'value_error',
        loc: ['query', 'cursor'],
        msg: 'Cursor is not valid: take it from the Link header of the page before',
      },
    ]);
  }
  return id;
}
