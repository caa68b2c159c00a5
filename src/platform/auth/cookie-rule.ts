import { ownOriginOf, type OriginHeaders } from './own-origin.js';

/** What of a request decides whether a cookie may speak for somebody. */
export interface CookieRequest extends OriginHeaders {
  readonly method: string;
  /** `Sec-Fetch-Site`, which no page can forge; older browsers do not send it. */
  readonly fetchSite?: string | undefined;
  /** `X-Panel`: no form can send it, and another origin's script only with our leave. */
  readonly panel?: string | undefined;
}

/** Verbs that change nothing. */
export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Browsers send cookies by themselves, also for pages of others: a request counts only when it comes from a page of our own
 * origin, and a change only when it says so twice. SameSite=Strict keeps other sites out already, not other hosts of ours.
 */
export function mayUseCookie(request: CookieRequest, publicOrigin: string | null): boolean {
  const { method, origin, fetchSite, panel } = request;
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return false;
  if (origin === undefined && isRead(method)) return true;
  if (ownOriginOf(request, publicOrigin) === null) return false;
  return isRead(method) || panel === '1';
}
