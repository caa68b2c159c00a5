import { BoundedCache } from '../../../platform/kernel/bounded-cache.js';
import { keptHeaders, type AnswerHeaders } from '../domain/kept-answer.js';

/** Answers whose headers are remembered, and how long these may be for it, in characters. */
const CAPACITY = 1_000;
const MOST_CHARACTERS = 512;

type Kept = Readonly<Record<string, string>>;

/** Keeps the headers of answers. What an endpoint answers within a second is the same: it is looked through once. */
export class KeptAnswers {
  private readonly known = new BoundedCache<string, Kept>(CAPACITY);

  of(headers: AnswerHeaders, secrets: readonly string[]): Kept {
    if (secrets.length > 0) return keptHeaders(headers, secrets);
    let key = '';
    for (const name in headers) key += `${name}\n${String(headers[name])}\n`;
    if (key.length > MOST_CHARACTERS) return keptHeaders(headers, secrets);
    return this.known.get(key) ?? this.known.set(key, keptHeaders(headers, secrets));
  }
}
