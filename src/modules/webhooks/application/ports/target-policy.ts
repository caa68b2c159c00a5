export type TargetVerdict =
  /** `text` is the URL as it is to be stored and shown: the one that is called, byte for byte. */
  | { readonly ok: true; readonly text: string }
  /** `code` is stable (`scheme`, `port`, `ip:private`, …), `message` is for people. */
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Decides whether a URL may be a target, from its text alone (names are not resolved here). */
export abstract class TargetPolicy {
  abstract check(rawUrl: string): TargetVerdict;
}
