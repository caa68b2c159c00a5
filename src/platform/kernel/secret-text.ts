const MASK = '***';
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * A secret that does not print itself: `toString`, `toJSON` and inspection all give `***`, so that it cannot reach a
 * log, an answer or a job by accident. Only an explicit `reveal()` gives the text.
 *
 * @example `new SecretText('s3cret').reveal()`
 */
export class SecretText {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [INSPECT](): string {
    return MASK;
  }
}
