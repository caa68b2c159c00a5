import { isLoopbackHost } from './own-origin.js';

/** Over https: with this prefix a browser takes it from this very host alone, and no subdomain can set one. */
const SECURE_NAME = '__Host-whp';

/** Over plain http, which is for this machine alone: browsers refuse the prefix, and Secure, there. */
const LOOPBACK_NAME = 'whp';

/** 256 bits. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The token of the session cookie; null when there is none. @param host as the request names it */
export function sessionTokenIn(cookies: string | undefined, host: string | undefined): string | null {
  const secure = valueOf(cookies, SECURE_NAME);
  const value = secure ?? (isLoopbackHost(host ?? '') ? valueOf(cookies, LOOPBACK_NAME) : null);
  return value !== null && TOKEN.test(value) ? value : null;
}

/** `Set-Cookie` for a page of this origin; null where no cookie would be safe: plain http to another machine. */
export function sessionCookie(token: string, origin: string, maxAgeSeconds: number): string | null {
  const { protocol, host } = new URL(origin);
  const rest = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`;
  if (protocol === 'https:') return `${SECURE_NAME}=${token}; ${rest}; Secure`;
  return isLoopbackHost(host) ? `${LOOPBACK_NAME}=${token}; ${rest}` : null;
}

/** `Set-Cookie` that ends it, whichever there is. */
export const ENDED_SESSION_COOKIES: readonly string[] = [
  `${SECURE_NAME}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure`,
  `${LOOPBACK_NAME}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`,
];

function valueOf(cookies: string | undefined, name: string): string | null {
  for (const one of (cookies ?? '').split(';')) {
    const [key = '', ...value] = one.split('=');
    if (key.trim() === name) return value.join('=').trim();
  }
  return null;
}
