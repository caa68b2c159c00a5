import {
  integerProblems,
  pathText,
  unknownField,
  type FieldProblem,
} from '../../../platform/kernel/field-problem.js';

/** What signs beside `X-Signature` and `v1`, which always do: nothing, an ed25519 signature `v1a`, or a JWT. */
export const SIGNATURE_SCHEMES = ['hmac', 'v1a', 'jwt'] as const;
export type SignatureScheme = (typeof SIGNATURE_SCHEMES)[number];

/** Algorithms of the JWT: by our published keys, or HS256 by the subscription's secret. */
export const JWT_ALGORITHMS = ['EdDSA', 'ES256', 'HS256'] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Seconds that a JWT is good for. */
export const MIN_JWT_TTL_SECONDS = 30;
export const MAX_JWT_TTL_SECONDS = 900;

export interface SignatureSetting {
  readonly scheme: SignatureScheme;
  readonly alg: JwtAlgorithm;
  readonly ttlSeconds: number;
}

export const DEFAULT_SIGNATURE: SignatureSetting = { scheme: 'hmac', alg: 'EdDSA', ttlSeconds: 300 };

/** As the API has it; what is left out is as by default. */
export interface SignatureWish {
  readonly scheme?: SignatureScheme;
  readonly alg?: JwtAlgorithm;
  readonly ttl_seconds?: number;
}

/** Checks what somebody wants as a signature; no problems: a {@link SignatureWish}. */
export function signatureProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: `${pathText(path)} must be an object` }];
  }
  return Object.entries(value).flatMap(([name, given]: [string, unknown]) => {
    const at = [...path, name];
    if (name === 'scheme') return choiceProblems(given, at, SIGNATURE_SCHEMES);
    if (name === 'alg') return choiceProblems(given, at, JWT_ALGORITHMS);
    if (name === 'ttl_seconds') return integerProblems(given, at, MIN_JWT_TTL_SECONDS, MAX_JWT_TTL_SECONDS);
    return [unknownField(name, path)];
  });
}

function choiceProblems(
  value: unknown,
  path: readonly (string | number)[],
  choices: readonly string[],
): FieldProblem[] {
  return choices.some((choice) => choice === value)
    ? []
    : [{ path, msg: `${pathText(path)} must be one of ${choices.join(', ')}` }];
}

export function wantedSignature({ scheme, alg, ttl_seconds }: SignatureWish): SignatureSetting {
  return {
    scheme: scheme ?? DEFAULT_SIGNATURE.scheme,
    alg: alg ?? DEFAULT_SIGNATURE.alg,
    ttlSeconds: ttl_seconds ?? DEFAULT_SIGNATURE.ttlSeconds,
  };
}

/** As the API shows and the database keeps it. */
export function shownSignature({ scheme, alg, ttlSeconds }: SignatureSetting): Required<SignatureWish> {
  return { scheme, alg, ttl_seconds: ttlSeconds };
}
