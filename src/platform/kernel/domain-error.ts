/** What sort of refusal an error is; the HTTP filter alone turns it into a status. */
export type DomainErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable';

/** One problem of a rejected input, in the shape that clients receive. `loc` is the path, e.g. `["body","url"]`. */
export interface InputProblem {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

/**
 * A broken rule that the caller can do something about. `code` is stable and part of the public contract
 * (`{"detail":"<code>"}`); `message` is for people and logs.
 */
export class DomainError extends Error {
  /** When it is worth to try again; null: nobody knows, or whoever answers says so by itself. */
  readonly retryAfterSeconds: number | null = null;

  constructor(
    readonly code: string,
    readonly kind: DomainErrorKind,
    message: string,
  ) {
    super(message);
    this.name = 'DomainError';
  }
}

/** Input that broke one or more rules; every problem is listed, nothing was changed. */
export class InvalidInputError extends DomainError {
  constructor(readonly problems: readonly InputProblem[]) {
    super('invalid_input', 'invalid', problems.map((problem) => problem.msg).join('; '));
    this.name = 'InvalidInputError';
  }

  /** The problem of a single field of the body: `valueError('url', 'URL must use HTTPS protocol')`. */
  static ofField(field: string, msg: string): InvalidInputError {
    return new InvalidInputError([{ type: 'value_error', loc: ['body', field], msg }]);
  }
}
