import { Strategy } from 'passport';

import { bearerTokenOf, type RequestWithHeaders } from './bearer-token.js';

/** What `validate` of the Nest strategy came to. */
type Done = (cause: unknown, principal: unknown) => void;

/** Passport's half: hands a request that carries a bearer token over to be verified. */
export class BearerStrategy extends Strategy {
  constructor(private readonly verify: (request: RequestWithHeaders, done: Done) => void) {
    super();
  }

  override authenticate(request: RequestWithHeaders): void {
    if (bearerTokenOf(request) === null) {
      this.fail(401);
      return;
    }
    this.verify(request, (cause, principal) => {
      if (typeof principal === 'object' && principal !== null) this.success(principal);
      else this.error(cause);
    });
  }
}
