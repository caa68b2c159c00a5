import { readFileSync } from 'node:fs';

/** One target URL of the corpus, with the verdict that the system must give. */
export interface TargetCase {
  /** What tells it apart: several cases share a URL. */
  readonly id: string;
  readonly url: string;
  readonly verdict: 'accept' | 'reject';
  readonly stage: 'parse' | 'dns' | 'rebind' | 'redirect';
  readonly code: string | null;
  readonly why: string;
  readonly resolves?: readonly string[];
  readonly resolvesSequence?: readonly (readonly string[])[];
  readonly response?: { readonly status: number; readonly location: string };
}

type RawCase = Omit<TargetCase, 'id'>;

/** @throws Error when two cases could not be told apart */
export function targetCorpus(): readonly TargetCase[] {
  const cases = (JSON.parse(readFileSync('test/corpus/target-urls.json', 'utf8')) as RawCase[]).map(
    (one): TargetCase => ({
      ...one,
      id: `${one.stage}: ${one.why}: ${JSON.stringify(one.url.slice(0, 80))}`,
    }),
  );
  if (new Set(cases.map(({ id }) => id)).size !== cases.length) throw new Error('two cases have one id');
  return cases;
}

/** The class that a refusal names to tenants: `dns:loopback` → `loopback`. */
export function classOf({ code }: TargetCase): string {
  return code?.replace(/^(dns|rebind):/, '') ?? '';
}
