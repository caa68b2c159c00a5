import { Strategy } from 'passport';

import type { RequestWithHeaders } from './bearer-token.js';

/** What `validate` of the Nest strategy came to. */
type Done = (cause: unknown, principal: unknown) => void;

/** Passport's half: hands a request over to find out who sent it. */
export class BearerStrategy extends Strategy {
  constructor(private readonly verify: (request: RequestWithHeaders, done: Done) => void) {
    super();
  }

  override authenticate(request: RequestWithHeaders): void {
    this.verify(request, (cause, principal) => {
      if (typeof principal === 'object' && principal !== null) this.success(principal);
      else if (cause === null || cause === undefined) this.fail(401);
      else this.error(cause);
    });
  }
}
