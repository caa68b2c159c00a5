import type { JwtAlgorithm } from './signature-scheme.js';

/** Algorithms that have keys of ours. */
export const PUBLISHED_ALGORITHMS = ['EdDSA', 'ES256'] as const satisfies readonly JwtAlgorithm[];
export type PublishedAlgorithm = (typeof PUBLISHED_ALGORITHMS)[number];

/** Milliseconds that a key is public before it signs: receivers keep key sets, ours for five minutes and others for longer. */
export const PUBLISHED_BEFORE_USE_MS = 3_600_000;
/** Milliseconds that a key stays public after its successor began to sign: receivers may verify what waited. */
export const KEPT_AFTER_USE_MS = 86_400_000;
/** Milliseconds after which a key gets a successor. */
export const KEY_LIFE_MS = 90 * 86_400_000;

/** A key as the rules of rotation see it. */
export interface RingKey {
  readonly kid: string;
  readonly alg: PublishedAlgorithm;
  /** Milliseconds since it became public. */
  readonly ageMs: number;
}

/**
 * The key that signs: the youngest that has been public for long enough. The first one of all signs at once: nobody can
 * have kept a key set without it.
 */
export function signingKeyOf<Key extends RingKey>(keys: readonly Key[], alg: PublishedAlgorithm): Key | null {
  const ofAlg = byAge(keys, alg);
  return ofAlg.find(({ ageMs }) => ageMs >= PUBLISHED_BEFORE_USE_MS) ?? ofAlg.at(-1) ?? null;
}

/** Whether there is to be a new key. */
export function needsSuccessor(keys: readonly RingKey[], alg: PublishedAlgorithm): boolean {
  const [youngest] = byAge(keys, alg);
  return youngest === undefined || youngest.ageMs >= KEY_LIFE_MS;
}

/** Keys whose successor has been signing for so long that nobody needs them any more. */
export function outlivedKeys<Key extends RingKey>(keys: readonly Key[]): Key[] {
  return PUBLISHED_ALGORITHMS.flatMap((alg) => {
    const ofAlg = byAge(keys, alg);
    const firstOutlived =
      ofAlg.findIndex(({ ageMs }) => ageMs >= PUBLISHED_BEFORE_USE_MS + KEPT_AFTER_USE_MS) + 1;
    return firstOutlived === 0 ? [] : ofAlg.slice(firstOutlived);
  });
}

/** Youngest first. */
function byAge<Key extends RingKey>(keys: readonly Key[], alg: PublishedAlgorithm): Key[] {
  return keys.filter((key) => key.alg === alg).sort((a, b) => a.ageMs - b.ageMs);
}
