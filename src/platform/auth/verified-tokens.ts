import { hash } from 'node:crypto';

import type { Principal } from './principal.js';

/** Tokens that are remembered; beyond them the one that was not used for longest goes. */
const CAPACITY = 10_000;

interface Entry {
  readonly principal: Principal;
  readonly untilMs: number;
}

/**
 * Principals of tokens that were verified, so that each is verified once and not at every request. Only good ones, under a
 * hash (a token in memory is a token that can leak), until they expire or the key that vouches for them may have gone.
 */
export class VerifiedTokens {
  private readonly entries = new Map<string, Entry>();

  /** @param maxAgeMs how long a verified token is believed without asking for its key again */
  constructor(
    private readonly maxAgeMs: number,
    private readonly nowMs: () => number,
  ) {}

  find(token: string): Principal | null {
    const key = keyOf(token);
    const entry = this.entries.get(key);
    if (entry === undefined) return null;
    // A Map keeps insertion order: taken out and put back, the entry is the youngest.
    this.entries.delete(key);
    if (entry.untilMs <= this.nowMs()) return null;
    this.entries.set(key, entry);
    return entry.principal;
  }

  /** @param expiresAtMs null for a token that does not say */
  remember(token: string, principal: Principal, expiresAtMs: number | null): void {
    const untilMs = Math.min(expiresAtMs ?? Infinity, this.nowMs() + this.maxAgeMs);
    this.entries.set(keyOf(token), { principal, untilMs });
    if (this.entries.size <= CAPACITY) return;
    const oldest = this.entries.keys().next();
    if (oldest.done !== true) this.entries.delete(oldest.value);
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64url');
}
