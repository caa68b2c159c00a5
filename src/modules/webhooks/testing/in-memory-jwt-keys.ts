import type { Clock } from '../../../platform/kernel/clock.js';
import {
  JwtKeys,
  type JwtKeyChanges,
  type NewJwtKey,
  type StoredJwtKey,
} from '../application/ports/jwt-keys.js';

export class InMemoryJwtKeys extends JwtKeys {
  private rows: (NewJwtKey & { readonly publishedAtMs: number })[] = [];

  constructor(private readonly clock: Clock) {
    super();
  }

  override async list(): Promise<readonly StoredJwtKey[]> {
    return Promise.resolve(this.now());
  }

  override async change(
    plan: (keys: readonly StoredJwtKey[]) => JwtKeyChanges,
  ): Promise<readonly StoredJwtKey[]> {
    const { added, removed, resealed } = plan(this.now());
    const sealed = new Map(resealed.map(({ kid, sealedKey }) => [kid, sealedKey]));
    const publishedAtMs = this.clock.nowMs();
    this.rows = [
      ...this.rows
        .filter(({ kid }) => !removed.includes(kid))
        .map((row) => ({ ...row, sealedKey: sealed.get(row.kid) ?? row.sealedKey })),
      ...added.map((key) => ({ ...key, publishedAtMs })),
    ];
    return Promise.resolve(this.now());
  }

  private now(): StoredJwtKey[] {
    const nowMs = this.clock.nowMs();
    return this.rows.map(({ publishedAtMs, ...key }) => ({ ...key, ageMs: nowMs - publishedAtMs }));
  }
}
