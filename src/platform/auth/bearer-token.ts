const BEARER = /^Bearer +([^\s]+)$/i;

/** What there has to be of a request to find its token; any HTTP framework's will do. */
export interface RequestWithHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The token of the Authorization header; null when there is none of the scheme Bearer. */
export function bearerTokenOf({ headers }: RequestWithHeaders): string | null {
  const header = headers['authorization'];
  return typeof header === 'string' ? (BEARER.exec(header)?.[1] ?? null) : null;
}
