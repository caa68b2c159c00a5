import { SignJWT } from 'jose';

const TENANT_ROUTES = '/api/v1/tenant/webhooks';

export interface TokenOptions {
  /** HS256 secret; the server's `JWT_SECRET`. */
  readonly secret: string;
  /** Left out of the token when undefined, for the answer `tenant_required`. */
  readonly tenantId?: string;
  /** Space separated; reading and writing when absent. */
  readonly scope?: string;
  readonly subject?: string;
  /** Seconds until it expires; negative: it has expired. */
  readonly ttlSeconds?: number;
  readonly issuer?: string;
  readonly audience?: string;
}

/** A token as an identity provider would issue it. */
export async function signToken(options: TokenOptions): Promise<string> {
  const {
    tenantId,
    scope = 'webhooks:read webhooks:write',
    subject = 'test-user',
    ttlSeconds = 600,
  } = options;
  const issuedAt = Math.floor(Date.now() / 1000);
  const token = new SignJWT({ scope, ...(tenantId === undefined ? {} : { tenant_id: tenantId }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds);
  if (options.issuer !== undefined) token.setIssuer(options.issuer);
  if (options.audience !== undefined) token.setAudience(options.audience);
  return token.sign(new TextEncoder().encode(options.secret));
}

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** The raw body, for byte-exact comparisons. */
  readonly text: string;
  /** The parsed body; undefined when it is empty or no JSON. */
  readonly body: Body;
}

export interface RequestOptions {
  /** Serialised as JSON, unless it is a string or bytes: those are sent as they are, also when malformed. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The tenant routes as a client of one tenant sees them. Never throws for a status.
 *
 * @example const api = new ApiClient(server.url, token); (await api.post('/subscriptions', { event, url })).status
 */
export class ApiClient {
  constructor(
    private readonly serverUrl: string,
    private readonly token?: string,
  ) {}

  get<Body = unknown>(path: string, options: RequestOptions = {}): Promise<ApiAnswer<Body>> {
    return this.request('GET', TENANT_ROUTES + path, options);
  }

  post<Body = unknown>(path: string, body?: unknown, options: RequestOptions = {}): Promise<ApiAnswer<Body>> {
    return this.request('POST', TENANT_ROUTES + path, { ...options, body });
  }

  patch<Body = unknown>(path: string, body: unknown, options: RequestOptions = {}): Promise<ApiAnswer<Body>> {
    return this.request('PATCH', TENANT_ROUTES + path, { ...options, body });
  }

  delete<Body = unknown>(path: string, options: RequestOptions = {}): Promise<ApiAnswer<Body>> {
    return this.request('DELETE', TENANT_ROUTES + path, options);
  }

  /** Any path of the server, from its root. */
  async request<Body = unknown>(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<ApiAnswer<Body>> {
    const { body, headers } = options;
    const response = await fetch(this.serverUrl + path, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) as Body };
  }
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
