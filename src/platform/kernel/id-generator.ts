/** Makes the ids of new rows: UUIDv7, so that they sort by time of creation and index well. */
export abstract class IdGenerator {
  abstract next(): string;
}
