/** What a browser says of where a request comes from, and where it goes to. */
export interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}

/**
 * The origin that a page of ours has sent a request from; null when it was another page, or nobody says. Ours is what the
 * request was sent to (a page cannot choose `Host`), and what the operator says: behind a proxy, `Host` may be another.
 */
export function ownOriginOf({ origin, host }: OriginHeaders, publicOrigin: string | null): string | null {
  if (origin === undefined || !URL.canParse(origin)) return null;
  const { protocol, origin: given } = new URL(origin);
  if (given !== origin || (protocol !== 'https:' && protocol !== 'http:')) return null;
  if (given === publicOrigin) return given;
  const sentTo = `${protocol}//${host ?? ''}`;
  return URL.canParse(sentTo) && new URL(sentTo).origin === given ? given : null;
}

/** Whether a host name is this machine, whatever DNS says. */
export function isLoopbackHost(host: string): boolean {
  const text = `http://${host}`;
  if (!URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
