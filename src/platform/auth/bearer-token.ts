const BEARER = /^Bearer +([^\s]+)$/i;

/** What there has to be of a request to find who sent it; any HTTP framework's will do. */
export interface RequestWithHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly method?: string;
  readonly url?: string;
  readonly id?: unknown;
}

/** The token of the Authorization header; null when there is none of the scheme Bearer. */
export function bearerTokenOf({ headers }: RequestWithHeaders): string | null {
  const header = headers['authorization'];
  return typeof header === 'string' ? (BEARER.exec(header)?.[1] ?? null) : null;
}
