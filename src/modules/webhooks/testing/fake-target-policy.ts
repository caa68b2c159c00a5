import { TargetPolicy, type TargetVerdict } from '../application/ports/target-policy.js';

/** Takes any well-formed `https:` URL that a test did not refuse. The real rules are those of `domain/target-url`. */
export class FakeTargetPolicy extends TargetPolicy {
  private readonly refused = new Map<string, { readonly code: string; readonly message: string }>();

  /** Makes a URL one that may not be a target. */
  refuse(url: string, code = 'ip:private', message = 'URL host is a private address (private)'): void {
    this.refused.set(url, { code, message });
  }

  override check(rawUrl: string): TargetVerdict {
    const refusal = this.refused.get(rawUrl);
    if (refusal !== undefined) return { ok: false, ...refusal };
    if (!URL.canParse(rawUrl))
      return { ok: false, code: 'unparseable', message: 'URL is not a valid absolute URL' };
    return new URL(rawUrl).protocol === 'https:'
      ? { ok: true, text: new URL(rawUrl).href }
      : { ok: false, code: 'scheme', message: 'URL must use HTTPS protocol' };
  }
}
