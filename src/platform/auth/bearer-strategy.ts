import { Strategy } from 'passport';

const BEARER = /^Bearer +([^\s]+)$/i;

/** What `validate` of the Nest strategy came to. */
type Done = (cause: unknown, principal: unknown) => void;

/** Passport's half: takes the token from the Authorization header and hands it over to be verified. */
export class BearerStrategy extends Strategy {
  constructor(private readonly verify: (token: string, done: Done) => void) {
    super();
  }

  override authenticate(request: {
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  }): void {
    const header = request.headers['authorization'];
    const token = typeof header === 'string' ? BEARER.exec(header)?.[1] : undefined;
    if (token === undefined) {
      this.fail(401);
      return;
    }
    this.verify(token, (cause, principal) => {
      if (typeof principal === 'object' && principal !== null) this.success(principal);
      else this.error(cause);
    });
  }
}
