import { cpus } from 'node:os';

/** Seconds of processor time that each process, or kind of process, has used until a moment. */
export interface Usage {
  readonly atMs: number;
  readonly seconds: Readonly<Record<string, number>>;
}

export interface Bound {
  /** Shares of the processor time that was used, by process. */
  readonly shares: Readonly<Record<string, number>>;
  /** Seconds by process. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Share of all processors of the machine that was in use. */
  readonly inUse: number;
  readonly text: string;
}

/** What bounded something that went on between two moments. */
export function boundOf(before: Usage, after: Usage): Bound {
  const used = Object.entries(after.seconds).map(
    ([name, value]) => [name, Math.max(0, value - (before.seconds[name] ?? 0))] as const,
  );
  const total = used.reduce((sum, [, value]) => sum + value, 0);
  const inUse = total / (((after.atMs - before.atMs) / 1_000) * cpus().length);
  const shares = used.map(([name, value]) => [name, total === 0 ? 0 : value / total] as const);
  const parts = shares
    .filter(([, share]) => share >= 0.005)
    .map(([name, share]) => `${name} ${percent(share)}`);
  return {
    shares: Object.fromEntries(shares),
    seconds: Object.fromEntries(used),
    inUse,
    text: `${parts.join(', ')} of ${percent(inUse)} of ${cpus().length} processors`,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
