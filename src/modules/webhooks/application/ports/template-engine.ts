import type { TemplateInput } from '../../domain/preset-body.js';

export type TemplateRun =
  | { readonly kind: 'made'; readonly text: string }
  /** The expression is at fault: it would fail again. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It took too long or too much; another time it may not. */
  | { readonly kind: 'exhausted'; readonly reason: string }
  /** There is no room to run it in now. */
  | { readonly kind: 'busy' };

/**
 * Runs the expressions that tenants write, where they can harm nothing: bounded in time, memory and output. Must not come in:
 * what becomes of a delivery.
 */
export abstract class TemplateEngine {
  /** @returns what is wrong with an expression, `<why> at <position>`; null when it can be used */
  abstract check(expression: string): Promise<string | null>;
  abstract run(expression: string, input: TemplateInput): Promise<TemplateRun>;
  /** Ends what it runs in. */
  abstract close(): Promise<void>;
}
