/**
 * A `Link` header to the next page (RFC 8288): the request's own URL with another cursor.
 *
 * @param requestUrl path and query of the request
 */
export function nextPageLink(requestUrl: string, cursor: string): string {
  const url = new URL(requestUrl, 'http://localhost');
  url.searchParams.set('cursor', cursor);
  return `<${url.pathname}${url.search}>; rel="next"`;
}
